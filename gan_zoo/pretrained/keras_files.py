"""Whole Keras models out of users' files, in which nothing may run: `.keras`, and the older HDF5."""

import hashlib
import inspect
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from gan_zoo.errors import UserError

# Where Keras looks for what a file names. Older versions of it would import any module, and call what they find there.
_MODULES = ("keras", "keras.layers", "keras.models", "keras.initializers", "keras.regularizers", "keras.constraints")
_INNER_MODULES = ("keras.src.layers.", "keras.src.models.", "keras.src.ops.")  # of functional graphs
_VALUES = ("__keras_tensor__", "__slice__", "__ellipsis__", "__numpy__", "__tensor__")  # not classes
MAX_CONFIG = 1 << 26  # bytes of a model's description; those of large networks have some megabytes
_RUNNING = ("Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer")  # hold code, or load it
HDF5_SUFFIXES = (".h5", ".hdf5")


def load_keras_file(path: str | os.PathLike[str], flag: str, *, hdf5: bool = False) -> tuple[keras.Model, str]:
    """Loads a model that holds nothing but layers of Keras.

    Args:
        path: of a file as `model.save("name.keras")` writes it.
        flag: that named it, for messages.
        hdf5: whether it may be one of `model.save("name.h5")`, too.

    Returns:
        The model, not compiled, and the SHA-256 of the file.

    Raises:
        UserError: if there is no such file, if it is damaged, or if it holds more than plain layers.
    """
    path = Path(path)
    data = _checked(path, flag, hdf5)
    try:
        model = keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # whatever a strange file makes Keras raise
        raise UserError(f"{flag}: {path} cannot be loaded: {first_line(error)}") from None
    return model, hashlib.sha256(data).hexdigest()


def first_line(error: Exception) -> str:
    """What one of Keras' errors says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__


def _checked(path: Path, flag: str, hdf5: bool) -> bytes:
    """The bytes of a Keras file that names nothing but layers of Keras and what they are made of."""
    if not path.is_file():
        raise UserError(f"{flag}: there is no file {path}")
    is_hdf5 = hdf5 and path.suffix in HDF5_SUFFIXES
    if path.suffix != ".keras" and not is_hdf5:  # by which Keras decides how to read it
        others = f" or {', '.join(HDF5_SUFFIXES)}" if hdf5 else ""
        raise UserError(f"{flag}: {path} does not end in .keras{others}: save the model as model.save('name.keras')")
    try:
        config = _config_of_hdf5(path) if is_hdf5 else _config_of_archive(path)
        if isinstance(config, dict):
            config.pop("compile_config", None)  # is not looked at
        all_named = list(_named(config))
    # What is raised depends on where a file is damaged, how it is packed and whether it is encrypted; and JSON may be
    # nested deeper than Python can follow.
    except (zipfile.BadZipFile, zlib.error, struct.error, KeyError, ValueError, EOFError, OSError, RuntimeError):
        kind = "HDF5 file of a whole Keras model" if is_hdf5 else "Keras file"
        raise UserError(f"{flag}: {path} is no {kind}, or a damaged one") from None
    for named in all_named:
        if not _is_safe(named, is_hdf5):
            what = ".".join(str(named[key]) for key in ("module", "class_name") if named.get(key) is not None)
            raise UserError(f"{flag}: {path} holds {what}, which might run code: only plain layers of Keras do not")
    return path.read_bytes()


def _config_of_archive(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("config.json").file_size > MAX_CONFIG:
            raise ValueError
        return json.loads(archive.read("config.json"))


def _config_of_hdf5(path: Path) -> Any:
    with h5py.File(path) as file:
        text = file.attrs["model_config"]
        if not isinstance(text, (str, bytes)):
            raise ValueError
        return json.loads(text)


def _named(config: Any) -> Iterator[dict[str, Any]]:
    """All parts of a configuration that name a class or a function."""
    if isinstance(config, dict):
        if "class_name" in config:
            yield config
        config = list(config.values())
    if isinstance(config, list):
        for part in config:
            yield from _named(part)


def _is_safe(named: dict[str, Any], is_hdf5: bool) -> bool:
    module, name = named.get("module"), str(named["class_name"])
    if module is None:  # the older formats too, which look elsewhere
        return name in _VALUES or (is_hdf5 and name not in _RUNNING and _is_own_class(name))
    if name == "function":
        return module == "builtins" and hasattr(keras.activations, str(named.get("config")))
    # A class, in one word: functions of these modules may load files.
    is_class = name.isidentifier() and name[0].isupper()
    return is_class and name not in _RUNNING and (module in _MODULES or str(module).startswith(_INNER_MODULES))


def _is_own_class(name: str) -> bool:
    """Whether one of Keras' own classes is meant, where HDF5 files name no module."""
    places = (keras.layers, keras.initializers, keras.regularizers, keras.constraints)
    return name == "Functional" or any(inspect.isclass(getattr(place, name, None)) for place in (*places, keras.models))
