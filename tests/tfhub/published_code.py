"""A YAMNet with batch norms, its variables named as Google's code names them, made of weights that are folded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras

from streamer.arrays import Array
from streamer.dsp.log_mel import LogMelConfig, hann, mel_matrix
from streamer.yamnet.weights import CHANNELS, CLASSES, STRIDED, Weights

EPSILON = 1e-4


def network() -> tf_keras.Model:
    """Patches (any, 96, 64) to scores and embeddings, after tensorflow/models, research/audioset/yamnet/yamnet.py."""
    patches = x = tf_keras.Input((96, 64))
    x = tf_keras.layers.Reshape((96, 64, 1))(x)
    for number, channels in enumerate(CHANNELS, 1):
        stride, name = 2 if number in STRIDED else 1, f"layer{number}"
        if number == 1:
            conv = tf_keras.layers.Conv2D(
                channels, 3, stride, padding="same", use_bias=False, name=f"{name}/conv"
            )
            x = activated(conv(x), f"{name}/conv")
            continue
        depthwise = tf_keras.layers.DepthwiseConv2D(
            3, stride, padding="same", use_bias=False, name=f"{name}/depthwise_conv"
        )
        x = activated(depthwise(x), f"{name}/depthwise_conv")
        pointwise = tf_keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}/pointwise_conv")
        x = activated(pointwise(x), f"{name}/pointwise_conv")
    embeddings = tf_keras.layers.GlobalAveragePooling2D()(x)
    scores = tf_keras.layers.Dense(CLASSES, activation="sigmoid")(embeddings)
    return tf_keras.Model(patches, [scores, embeddings])


def activated(x, name: str):
    return tf_keras.layers.ReLU()(
        tf_keras.layers.BatchNormalization(scale=False, epsilon=EPSILON, name=f"{name}/bn")(x)
    )


class UnfoldedYAMNet(tf.Module):
    """Waveform to scores, embeddings and log-mel frames, with a class map.

    Parameters
    ----------
    weights : Weights
        What comes out when its batch norms, random ones, are folded again.
    """

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._network = network()
        unfold(self._network, weights)
        class_map = Path(weights.source) / "assets" / "yamnet_class_map.csv"
        self._class_map = tf.saved_model.Asset(str(class_map))
        self._window = tf.constant(hann(400))
        self._mel = tf.constant(mel_matrix(LogMelConfig()).T)

    @tf.function(input_signature=[])
    def class_map_path(self):
        return self._class_map.asset_path

    @tf.function(input_signature=(tf.TensorSpec([None], tf.float32),))
    def __call__(self, waveform):
        frames = tf.signal.frame(waveform, 400, 160) * self._window
        mel = tf.matmul(tf.abs(tf.signal.rfft(frames, [512])), self._mel)
        log_mel = tf.math.log(mel + 0.001)
        scores, embeddings = self._network(tf.signal.frame(log_mel, 96, 48, axis=0), training=False)
        return scores, embeddings, log_mel


def unfold(model: tf_keras.Model, weights: Weights) -> None:
    """Give every convolution a random batch norm, and the kernel that makes up for it."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, tf_keras.layers.Dense):
            layer.set_weights([weights.arrays["logits/kernel"].T, weights.arrays["logits/bias"]])
        if not layer.name.endswith("conv"):
            continue
        number, kind = layer.name.removeprefix("layer").split("/")
        ours = f"layer{int(number):02d}/{kind.removesuffix('_conv')}"
        kernel, bias = weights.arrays[f"{ours}/kernel"], weights.arrays[f"{ours}/bias"]
        mean, variance = rng.normal(size=len(bias)), rng.uniform(0.05, 4.0, len(bias))
        scale = 1.0 / np.sqrt(variance + EPSILON)
        layer.set_weights([as_tensorflow(kernel / scale.reshape(-1, 1, 1, 1), "depthwise" in kind)])
        model.get_layer(f"{layer.name}/bn").set_weights([bias + mean * scale, mean, variance])


def as_tensorflow(kernel: Array, is_depthwise: bool) -> Array:
    return kernel.transpose((2, 3, 0, 1) if is_depthwise else (2, 3, 1, 0))
