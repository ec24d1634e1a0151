"""The workbench's action that looks at one update through the microscope."""

from nntui.tui.microscope.microscope_screen import MicroscopeScreen
from nntui.tui.panels.heatmap import Heatmap
from nntui.tui.workbench.training_screen import TrainingScreen


class Inspecting(TrainingScreen):
    """Opening the microscope where the heatmap's cursor is, and taking the cursor along."""

    def action_inspect(self) -> None:
        """Look at the next update, at the unit and the sample under the heatmap's cursor."""
        if self.stop_to_ask():
            heatmap = self.query_one(Heatmap)
            last = len(self.run_shown.preset.configuration.layers) - 1
            layer, unit = heatmap.unit or (last, 0)
            self.app.push_screen(MicroscopeScreen(self, layer, unit, heatmap.cell[1]))

    def on_microscope_screen_chosen(self, message: MicroscopeScreen.Chosen) -> None:
        """Put the heatmap's cursor where one looked last."""
        layers = self.run_shown.preset.configuration.layers
        above = sum(layer.units for layer in layers[: message.layer])
        self.query_one(Heatmap).cell = (above + message.unit, message.row)
