"""YAMNet from a ``tflite`` file: its weights, and the interpreter's own scores and embeddings.

The file is read with LiteRT's own schema and interpreter (ai-edge-litert, in the extra ``[tfhub]``). Layers are
identified by their order: the last 28 with weights are 27 convolutions and a fully connected layer.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from pathlib import Path

import numpy as np

from streamer.arrays import Array
from streamer.errors import ModelError
from streamer.yamnet.parity import EXACT, Tolerance
from streamer.yamnet.weights import SHAPES, Weights, read_class_map
from train.yamnet.class_map import nearby_class_map

LABEL_FILE = "yamnet_label_list.txt"
"""Name of the list of classes, one per line, in the zip archive that is appended to Google's files."""
QUANTISED = Tolerance(score=0.25, embedding=0.1)
"""Tolerance for activations in 8 bits over 27 layers. Measured differences are 0.082 and 0.033; they are 0.76 and 0.38
if ReLU6 is mistaken for ReLU (docs/yamnet.md)."""


class TfliteYAMNet:
    """YAMNet from a ``tflite`` file, run by LiteRT's interpreter on the CPU.

    Parameters
    ----------
    path : Path
        File of a model that maps a window of sound to 521 scores.

    Raises
    ------
    ModelError
        If ai-edge-litert is not installed, or the file is not such a model.
    """

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path
        try:
            from ai_edge_litert import schema_py_generated as schema
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(
                f"reading {path} needs LiteRT, which cannot be imported ({error}); type: pip install "
                "'streamer[tfhub]', or give the weights as npz"
            ) from error
        try:
            self._content = path.read_bytes()
            with warnings.catch_warnings():
                # It warns that keeping all tensors is meant for debugging; here they are compared.
                warnings.simplefilter("ignore")
                self._interpreter = Interpreter(
                    model_content=self._content, num_threads=1, experimental_preserve_all_tensors=True
                )
            self._interpreter.allocate_tensors()
        except (OSError, ValueError, RuntimeError) as error:
            raise ModelError(f"{path} cannot be loaded as tflite ({error}); fetch the file again") from error
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(self._content, 0))
        self._graph = model.subgraphs[0]
        codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
        kinds = {
            getattr(schema.BuiltinOperator, name)
            for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")
        }
        layers = [op for op in self._graph.operators if codes[op.opcodeIndex] in kinds]
        self._layers = layers[-(len(SHAPES) // 2) :]
        self._cut_at_six = schema.ActivationFunctionType.RELU6
        if len(self._layers) * 2 != len(SHAPES):
            raise ModelError(
                f"{path} has {len(self._layers)} layers with weights; expected {len(SHAPES) // 2}: is this YAMNet?"
            )

    def weights(self) -> Weights:
        """Return the kernels and biases as float32, with the upper limit of activations and the class names.

        Raises
        ------
        ModelError
            If the weights are not YAMNet's.
        """
        arrays = {}
        names = [name.removesuffix("/kernel") for name in SHAPES if name.endswith("/kernel")]
        for name, layer in zip(names, self._layers, strict=True):
            kernel = self._constant(layer.inputs[1])
            if kernel.ndim == 4:  # (out, height, width, in), or (1, height, width, channels) where depthwise
                kernel = kernel.transpose((3, 0, 1, 2) if name.endswith("depthwise") else (0, 3, 1, 2))
            arrays[f"{name}/kernel"] = kernel
            arrays[f"{name}/bias"] = self._constant(layer.inputs[2])
        cuts = {
            layer.builtinOptions.fusedActivationFunction == self._cut_at_six for layer in self._layers[:-1]
        }
        if len(cuts) != 1:
            raise ModelError(f"{self._path} cuts some activations at 6 and some not; expected all or none")
        class_names, class_ids = self._classes()
        return Weights(arrays, 6.0 if cuts.pop() else math.inf, class_names, self.name, class_ids)

    @property
    def tolerance(self) -> Tolerance:
        """Largest difference allowed between the outputs of the file and those of its weights in float32."""
        return QUANTISED if self._is_quantised(self._layers[-1].inputs[0]) else EXACT

    def __call__(self, windows: Array) -> tuple[Array, Array]:
        """Return scores, (count, 521), and embeddings, (count, 1024), of windows of sound, (count, WINDOW_SAMPLES)."""
        run = self._interpreter
        (given,), (taken,) = run.get_input_details(), run.get_output_details()
        embedding = self._layers[-1].inputs[0]
        scores, embeddings = [], []
        for window in windows:
            run.set_tensor(given["index"], window.reshape(given["shape"]))
            run.invoke()
            scores.append(run.get_tensor(taken["index"]).ravel())
            embeddings.append(self._real(embedding, run.get_tensor(embedding)).ravel())
        return np.array(scores, np.float32), np.array(embeddings, np.float32)

    def _constant(self, index: int) -> Array:
        return self._real(index, self._interpreter.get_tensor(index))

    def _real(self, index: int, stored: Array) -> Array:
        """Return a tensor's values as float32, dequantised if need be."""
        if not self._is_quantised(index):
            return stored.astype(np.float32)
        scheme = self._graph.tensors[index].quantization
        shape = [1] * stored.ndim
        shape[scheme.quantizedDimension if len(scheme.scale) > 1 else 0] = len(scheme.scale)
        scale, zero = np.reshape(scheme.scale, shape), np.reshape(scheme.zeroPoint, shape)
        values: Array = ((stored.astype(np.int64) - zero) * scale).astype(np.float32)
        return values

    def _is_quantised(self, index: int) -> bool:
        scheme = self._graph.tensors[index].quantization
        return scheme is not None and scheme.scale is not None and len(scheme.scale) > 0

    def _classes(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the class names from the archive in the file, without identifiers, or both from a class map nearby."""
        try:
            with zipfile.ZipFile(io.BytesIO(self._content)) as archive:
                return tuple(archive.read(LABEL_FILE).decode("utf-8").splitlines()), ()
        except (zipfile.BadZipFile, KeyError):
            return read_class_map(nearby_class_map(self._path))
