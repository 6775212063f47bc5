"""Keras models in HDF5: only plain layers are loaded, and nothing runs. (`.keras`: tests/metrics/test_segmenter.py)"""

import json

import h5py
import keras
import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.pretrained.keras_files import load_keras_file


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_plain_layers_alone(tmp_path) -> None:
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu")])
    model.save(tmp_path / "plain.h5")
    again, sha256 = load_keras_file(tmp_path / "plain.h5", "--classifier", hdf5=True)
    photo = np.random.default_rng(0).random((1, 8, 8, 3), np.float32)
    np.testing.assert_array_equal(again(photo), model(photo))
    assert len(sha256) == 64
    with pytest.raises(UserError, match=r"plain.h5 does not end in .keras: save"):
        load_keras_file(tmp_path / "plain.h5", "--segmenter")

    model.save_weights(tmp_path / "only.weights.h5")
    witness = tmp_path / "witness"
    name = str(witness)
    runs = keras.layers.Lambda(lambda image: (open(name, "w").close(), image)[1], output_shape=(8, 8, 3))
    keras.Sequential([keras.Input((8, 8, 3)), runs]).save(tmp_path / "lambda.h5")
    witness.unlink(missing_ok=True)
    refused = {
        "only.weights.h5": "is no HDF5 file of a whole Keras model, or a damaged one",
        "lambda.h5": "holds Lambda, which might run code",
        "none.h5": "there is no file",
        "model.txt": r"does not end in .keras or .h5, .hdf5",
    }
    (tmp_path / "model.txt").write_text("no model")
    # What the older format would look for among all that lies beside its layers, and call.
    for number, named in enumerate(("deserialize", "TFSMLayer", "my_code.Layer")):
        model.save(tmp_path / f"{number}.h5")
        with h5py.File(tmp_path / f"{number}.h5", "r+") as file:
            config = json.loads(file.attrs["model_config"])
            config["config"]["layers"][1]["class_name"] = named
            file.attrs["model_config"] = json.dumps(config)
        refused[f"{number}.h5"] = f"holds {named}, which might run code"
    for file_name, message in refused.items():
        with pytest.raises(UserError, match=message):
            load_keras_file(tmp_path / file_name, "--classifier", hdf5=True)
    assert not witness.exists()
