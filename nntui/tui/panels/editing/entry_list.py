"""The entries that an editor lists: those with an effect, or those that are looked for."""

from nntui.presets.editing.entries import PresetEntry


class EntryList:
    """The entries of a preset with a cursor, which skips headings.

    An entry without an effect is listed if the preset sets it, or if it is looked for.
    """

    def __init__(self, entries: list[PresetEntry]) -> None:
        self.entries = entries
        self.lines: list[PresetEntry] = []
        """What is listed, with the headings above it; never empty."""
        self.wanted = ""
        """Words, all of which are in the key or the value of what is listed."""
        self.found = True
        """Whether any entry has these words; else all are listed."""
        self.at = 0
        """The place of the cursor among the lines."""
        self._list()
        self.put(0)

    @property
    def entry(self) -> PresetEntry:
        """The entry under the cursor."""
        return self.lines[self.at]

    def stops(self, entry: PresetEntry) -> bool:
        """Whether the cursor may be on ``entry``."""
        return not entry.is_heading

    def replace(self, entries: list[PresetEntry]) -> None:
        """List other entries; the cursor stays where it was, as far as it can."""
        key, at = self.entry.key, self.at
        self.entries = entries
        self._list()
        self.at = min(at, len(self.lines) - 1)
        self.find(key)

    def filter(self, wanted: str) -> None:
        """List the entries whose key or value has all words of ``wanted``; all for none."""
        key = self.entry.key
        self.wanted = wanted.strip().lower()
        self._list()
        places = [at for at, entry in enumerate(self.lines) if entry.key == key]
        # Rather an entry than a heading, and one that has an effect.
        fitting = [(at, each) for at, each in enumerate(self.lines) if each.declared]
        words = self.wanted.split()
        single = [at for at, each in fitting if not each.needs and self._fits(each, words)]
        self.put(places[0] if places else single[0] if single else 0)

    def find(self, key: str) -> None:
        """Put the cursor on the entry with that dotted key; else it stays."""
        places = [at for at, entry in enumerate(self.lines) if entry.key == key]
        if not places and any(entry.key == key for entry in self.entries):
            self._list(also=key)
            places = [at for at, entry in enumerate(self.lines) if entry.key == key]
        self.put(places[0] if places else self.at)

    def put(self, at: int) -> None:
        """Put the cursor on a line; from a heading it goes to the entry below."""
        stops = [place for place, entry in enumerate(self.lines) if self.stops(entry)]
        self.at = next((place for place in stops if place >= at), stops[-1])

    def move(self, lines: int) -> None:
        """Move the cursor by so many entries."""
        stops = [place for place, entry in enumerate(self.lines) if self.stops(entry)]
        there = stops.index(self.at) + lines
        self.at = stops[min(max(there, 0), len(stops) - 1)]

    def jump(self, direction: int) -> None:
        """Move the cursor to the first entry of the next table, or of the one before."""
        heads = [at for at, entry in enumerate(self.lines) if not entry.depth]
        here = max((at for at in heads if at <= self.at), default=0)
        beyond = [at for at in heads if (at - here) * direction > 0]
        if beyond:
            self.put(min(beyond) if direction > 0 else max(beyond))

    def _list(self, also: str = "") -> None:
        words = self.wanted.split()
        kept = [each for each in self.entries if self._fits(each, words) or each.key == also]
        self.found = bool(kept)
        if not kept:
            kept = [each for each in self.entries if self._fits(each, [])]
        heads = {".".join(each.key.split(".")[:size]) for each in kept for size in (1, 2)}
        heads |= {f"{each}.name" for each in heads}  # that of a fault
        shown = set(kept)
        self.lines = [each for each in self.entries if each in shown or each.key in heads]

    def _fits(self, entry: PresetEntry, words: list[str]) -> bool:
        if not words:
            return not entry.is_heading and (not entry.needs or entry.given)
        names, value = f"{entry.key} {entry.name}".lower(), entry.text.lower()
        return not entry.is_heading and all(
            word in names or (not word[0].isdigit() and word in value) for word in words
        )
