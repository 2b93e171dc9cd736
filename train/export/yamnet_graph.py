"""``python -m train yamnet-graph``: write YAMNet's graph without weights, as it ships with `streamer`.

Run it after a change of models/yamnet.py; a test compares its result with the file in the package.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import onnx
import torch
from torch import Tensor, nn

from models.yamnet import SlidingYAMNet, YAMNet, published_name
from streamer.yamnet.graph import GATE_CLASSES, RELU_MAX
from streamer.yamnet.weights import CLASSES, MEL_BANDS, PATCH_FRAMES, SHAPES
from train.export.to_onnx import OPSET

SHIPPED = Path(__file__).resolve().parents[2] / "streamer" / "data" / "yamnet-graph.onnx"


class _YamnetGraph(nn.Module):
    """Network with the graph's signature: ``x, state.0 -> y, next_state.0, scores, embedding``."""

    def __init__(self) -> None:
        super().__init__()
        self.sliding = SlidingYAMNet(YAMNet(relu_max=6.0))
        self.classes: Tensor
        self.register_buffer("classes", torch.tensor([CLASSES - 1]))

    def forward(self, x: Tensor, past: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        logits, embedding, (after,) = self.sliding.classify(x, (past,))
        scores = torch.sigmoid(logits)
        return torch.index_select(scores, 2, self.classes), after, scores, embedding


def write_weightless_graph(path: Path) -> None:
    """Write YAMNet, sliding over a stream, as an ONNX file without weights, for any batch, hop and number of steps."""
    with TemporaryDirectory() as name:
        _export(Path(name) / "model.onnx")
        model = onnx.load(Path(name) / "model.onnx")
    graph = model.graph
    _rename(
        graph, {i.name: published_name(i.name.removeprefix("sliding.network.")) for i in graph.initializer}
    )
    _rename(graph, {_the_only({n.input[2] for n in graph.node if n.op_type == "Clip"}): RELU_MAX})
    _rename(graph, {_the_only({n.input[1] for n in graph.node if "y" in n.output}): GATE_CLASSES})
    taken_out = {*SHAPES, RELU_MAX, GATE_CLASSES}
    missing = taken_out - {tensor.name for tensor in graph.initializer}
    if missing:
        raise RuntimeError(f"the exporter left out or renamed {sorted(missing)}; mend this file for it")
    kept = [tensor for tensor in graph.initializer if tensor.name not in taken_out]
    del graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(kept)
    for noted in (graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        del noted.metadata_props[:]
        noted.doc_string = ""
    path.write_bytes(model.SerializeToString(deterministic=True))


def _export(path: Path) -> None:
    batch, frames = torch.export.Dim("batch"), torch.export.Dim("frames")
    past = torch.export.Dim("past", min=1, max=PATCH_FRAMES - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter itself uses deprecated functions
        torch.onnx.export(
            _YamnetGraph().eval(),
            (torch.zeros(2, 30, MEL_BANDS), torch.zeros(2, PATCH_FRAMES - 10, MEL_BANDS)),
            path,
            input_names=["x", "state.0"],
            output_names=["y", "next_state.0", "scores", "embedding"],
            dynamic_shapes=({0: batch, 1: frames}, {0: batch, 1: past}),
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename tensors, wherever they are used."""
    for tensor in graph.initializer:
        tensor.name = names.get(tensor.name, tensor.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]


def _the_only(names: set[str]) -> str:
    if len(names) != 1:
        raise RuntimeError(f"expected one tensor, found {sorted(names)}; mend this file for the exporter")
    return names.pop()


@click.command("yamnet-graph")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=SHIPPED,
    help="File to write.  [default: the one in the package]",
)
def yamnet_graph_command(out: Path) -> None:
    """Write YAMNet's graph without weights. Run it after a change of models/yamnet.py."""
    write_weightless_graph(out)
    click.echo(out)
