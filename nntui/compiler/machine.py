"""The machine: LLVM IR compiled for this processor by llvmlite, and loaded into this process."""

import ctypes
import hashlib
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from nntui.compiler.object_cache import ObjectCache, cache_folder

LEVEL = 2
"""How hard LLVM tries; vectors are written already, and its vectorisers stay off."""
MOST_LOADED = 64
"""Modules that are kept in case that they are wanted again."""
SYMBOLS = ("sin", "cos", "pow")
"""Functions of the C library that code may call."""

_lock = threading.Lock()


@dataclass(frozen=True)
class _Function:
    """A function, with the code that must not be freed before it."""

    called: Callable[..., int]
    code: "MachineCode"

    def __call__(self, *arguments: Any) -> int:
        return self.called(*arguments)


class MachineCode:
    """A module of machine code, which is kept as long as one of its functions."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def function(self, name: str, *arguments: Any) -> Callable[..., int]:
        """The function ``name``, which returns a whole number; calls release the GIL."""
        address = self._engine.get_function_address(name)
        called = ctypes.CFUNCTYPE(ctypes.c_int64, *arguments)(address)
        return _Function(called, self)


class Machine:
    """This processor, and LLVM for it."""

    def __init__(self) -> None:
        try:
            import llvmlite
            import llvmlite.binding as llvm
        except OSError:
            lacking = "the shared object of llvmlite; --player numpy does without it"
            raise ImportError(lacking) from None

        self._llvm: Any = llvm
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        # Python itself has loaded the C library.
        library = ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
        for name in SYMBOLS:
            address = ctypes.cast(getattr(library, name), ctypes.c_void_p).value
            llvm.add_symbol(name, address)
        self._triple = llvm.get_process_triple()
        self._cpu, self._features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
        kind = (llvmlite.__version__, llvm.llvm_version_info, self._triple, self._cpu)
        self._kind = repr((*kind, self._features, LEVEL)).encode()
        self._loaded: dict[str, MachineCode] = {}

    def compiled(self, text: str, cache: ObjectCache) -> MachineCode:
        """The machine code of ``text``; what ``cache`` has is not compiled again."""
        key = hashlib.sha256(self._kind + text.encode()).hexdigest()
        with _lock:
            if key not in self._loaded:
                found = cache.read(key)
                code = self._load(found) if found is not None else None
                if code is None:
                    made = self._object(text)
                    cache.write(key, made)
                    code = self._load(made)
                    assert code is not None
                self._loaded[key] = code
                if len(self._loaded) > MOST_LOADED:
                    del self._loaded[next(iter(self._loaded))]
            return self._loaded[key]

    def _target(self) -> Any:
        target = self._llvm.Target.from_triple(self._triple)
        return target.create_target_machine(
            cpu=self._cpu,
            features=self._features,
            opt=LEVEL,
            reloc="default",
            codemodel="jitdefault",
            jit=True,
        )

    def _object(self, text: str) -> bytes:
        """``text`` as an object file."""
        llvm, machine = self._llvm, self._target()
        options = llvm.create_pipeline_tuning_options(LEVEL)
        options.loop_vectorization = options.slp_vectorization = False
        module = self._parsed(text, machine)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        try:
            module.verify()
        except RuntimeError:
            # LLVM has spoilt its own code, as version 22.1 does with some vectors in memory.
            module = self._parsed(text, machine)
        return bytes(machine.emit_object(module))

    def _parsed(self, text: str, machine: Any) -> Any:
        module = self._llvm.parse_assembly(text)
        module.verify()
        module.triple, module.data_layout = self._triple, str(machine.target_data)
        return module

    def _load(self, made: bytes) -> MachineCode | None:
        """An object file in this process; None if it is none."""
        llvm = self._llvm
        try:
            part = llvm.ObjectFileRef.from_data(made)
        except RuntimeError:
            return None
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self._target())
        engine.add_object_file(part)
        engine.finalize_object()
        return MachineCode(engine)


@lru_cache(maxsize=1)
def machine() -> Machine:
    """The machine of this process."""
    return Machine()


def compiled(text: str) -> MachineCode:
    """The machine code of ``text``, from the user's cache folder if it is there."""
    return machine().compiled(text, ObjectCache(cache_folder()))
