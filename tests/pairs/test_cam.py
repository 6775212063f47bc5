"""Class activation maps: exact in closed form, and refused where they would not be."""

import keras
import numpy as np
import pytest
from small_run import picture

from gan_zoo.errors import UserError
from gan_zoo.images import BadImage
from gan_zoo.pairs.cam import ActivationMaps, mask_of, seen_class
from gan_zoo.pairs.classifiers import find_class

LAYERS = keras.layers


def classifier(pooling: type[keras.layers.Layer], size: int | None = None, activation: str | None = "softmax"):
    """Any weights."""
    keras.utils.set_random_seed(3)
    layers = [LAYERS.Rescaling(1 / 255), LAYERS.Conv2D(4, 3, 2, activation="relu"), LAYERS.Conv2D(5, 3), pooling()]
    layers += [LAYERS.Dropout(0.5), LAYERS.Dense(3, activation=activation, bias_initializer="normal")]
    return keras.Sequential([keras.Input((size, size, 3)), *layers])


def test_the_mean_of_a_map_and_the_bias_are_the_score() -> None:
    """Of the model itself, which knows nothing of maps; and a map is what the dense layer makes of each place."""
    model = classifier(LAYERS.GlobalAveragePooling2D, activation=None)
    maps, image = ActivationMaps(model, "model"), picture(21, 30)
    features = maps.features(image)
    dense = model.layers[-1]
    kernel, bias = dense.get_weights()
    means = [maps.map_of(features, number).mean() for number in range(3)]
    scores = model(image[None].astype(np.float32), training=False)[0].numpy()
    # float32 in a sum of 4 * 9 and one of 5 terms.
    np.testing.assert_allclose(means + bias, scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(maps.scores(features), scores, rtol=1e-5, atol=1e-6)
    before = model.layers[2](model.layers[1](model.layers[0](image[None].astype(np.float32))))[0].numpy()
    np.testing.assert_allclose(features, before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(maps.map_of(features, 1), before @ kernel[:, 1], rtol=1e-5, atol=1e-6)


def test_models_within_models_maximum_pooling_and_other_sizes() -> None:
    image = picture(16, 16)
    inner = classifier(LAYERS.GlobalMaxPooling2D)
    trunk = keras.Sequential([keras.Input((16, 16, 3)), *inner.layers[:4]])
    photo = keras.Input((16, 16, 3))
    nested = keras.Model(
        photo, LAYERS.Softmax()(inner.layers[-1](LAYERS.Dropout(0.1)(trunk(LAYERS.Identity()(photo)))))
    )
    plain, wrapped = ActivationMaps(inner, "plain"), ActivationMaps(nested, "nested")
    features = wrapped.features(image)
    np.testing.assert_allclose(features, plain.features(image), rtol=1e-6)
    kernel, bias = inner.layers[-1].get_weights()
    np.testing.assert_allclose(wrapped.scores(features), features.max((0, 1)) @ kernel + bias, rtol=1e-6)
    # What is too large for a fixed size is made smaller, as the plain mean where that is a half.
    large = image.repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(wrapped.features(large).shape, features.shape)
    assert wrapped.num_classes == 3
    grey = keras.Sequential([keras.Input((8, 8, 1)), LAYERS.GlobalAveragePooling2D(), LAYERS.Dense(1, use_bias=False)])
    assert ActivationMaps(grey, "grey").features(picture(8, 8)).shape == (8, 8, 1)
    with pytest.raises(BadImage, match="the classifier plain cannot take 8x2 pixels"):
        plain.features(picture(2, 8))


def test_the_mask_is_bilinear_and_a_share_of_the_maximum() -> None:
    activation = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 8.0, 0.0]])
    # From 2x4 to 2x16: the centres lie 4 px apart, so between 2 px left and 2 px right of them it is a straight line.
    mask = mask_of(activation, 2, 16, 0.5)
    x = (np.arange(16) + 0.5) / 4 - 0.5
    expected = np.clip(1 - np.abs(x - 2), 0, 1) * 8
    np.testing.assert_array_equal(mask[1], expected > 0.5 * expected.max())
    assert mask[1].any() and not mask[0].any()
    assert not mask_of(activation - 8.0, 4, 4, 0.2).any()  # no place speaks for it
    np.testing.assert_array_equal(mask_of(activation - 1.0, 2, 4, 0.0), activation > 1)


def test_which_class_is_looked_for() -> None:
    scores = np.array([0.5, 2.0, -1.0])
    assert seen_class(scores, None, 1) == 1
    assert [seen_class(scores, number, 1) for number in range(3)] == [None, 1, None]
    assert [seen_class(scores, number, 2) for number in range(3)] == [0, 1, None]
    assert seen_class(np.array([0.1]), None, 1) == 0 and seen_class(np.array([-0.1]), 0, 1) is None

    names = ["cat", "fishing rod", "cup"]
    assert [find_class(given, names, 3) for given in ("2", "cup", "Fishing_Rod")] == [2, 2, 1]
    assert find_class("1", None, 3) == 1
    for given, known, message in (
        ("3", names, "--class=3: the classifier has the classes 0 to 2"),
        ("cut", names, "there is no such class; some are cup"),
        ("cup", None, "give a number from 0 to 2, or the names by --class_names"),
        ("cup", names[:2], "2 names, and the classifier has 3 classes"),
    ):
        with pytest.raises(UserError, match=message):
            find_class(given, known, 3)


def test_models_whose_maps_would_not_be_exact() -> None:
    photo = keras.Input((8, 8, 3))
    pooled = LAYERS.GlobalAveragePooling2D()(photo)
    for outputs, message in (
        (LAYERS.Dense(2)(LAYERS.Flatten()(photo)), r"m has the layer 'flat\w*' \(Flatten\)|'input\w*' \(InputLayer\)"),
        (LAYERS.Dense(2)(LAYERS.Dense(2)(pooled)), r"\(Dense\) where its scores are made: one that ends in global"),
        (LAYERS.Dense(2)(LAYERS.ReLU()(pooled)), r"\(ReLU\)"),
        (LAYERS.Dense(2)(LAYERS.Add()([pooled, pooled])), r"\(Add\)"),
        (pooled, r"\(GlobalAveragePooling2D\)"),
    ):
        with pytest.raises(UserError, match=message):
            ActivationMaps(keras.Model(photo, outputs), "m")
    with pytest.raises(UserError, match=r"m takes no image \[B, H, W, 3\]"):
        ActivationMaps(keras.Sequential([keras.Input((3,)), LAYERS.Dense(2)]), "m")
