"""Compile a kernel to machine code by numba, with an entry that Python calls.

The entry reads the arrays' fields itself (``PyArrayObject`` of NumPy's C interface), checks that they are what the
kernel takes, and releases the GIL. So a call needs neither numba nor a conversion of its arguments.
"""

from __future__ import annotations

import types as python_types
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.core.compiler_lock import global_compiler_lock
from numba.np.arrayobj import populate_array

from streamer.kernels.kernel import Foreign, Helper, Kernel
from streamer.kernels.layout import (
    ARRAY_TYPE,
    DATA,
    DESCRIPTION,
    FLAGS,
    NONE,
    OBJECT_TYPE,
    RANK,
    RUNTIME_ERROR,
    SHAPE,
    STRIDES,
    TYPE_ERROR,
    dtype_symbol,
    needed_flags,
)
from streamer.kernels.signature import Argument, ArrayArgument

_BYTE, _INT, _LONG, _DOUBLE = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.DoubleType()
_POINTER = _BYTE.as_pointer()


def machine_code(kernel: Kernel) -> bytes:
    """Return an object file in which the symbol `kernel.name` is the entry of a kernel (a ``METH_FASTCALL``)."""
    compiled = njit(nogil=True, _nrt=False, fastmath=set(kernel.fastmath))(_with_helpers(kernel.function))
    signature = types.void(*map(_numba_type, kernel.arguments))
    with global_compiler_lock:
        compiled.compile(signature)
        result = compiled.overloads[signature.args]
        context = result.target_context
        library = context.codegen().create_library(kernel.name)
        module = library.create_ir_module(kernel.name)
        _Entry(context, module, kernel).write(result.fndesc, signature)
        library.add_linking_library(result.library)
        library.add_ir_module(module)
        library.enable_object_caching()
        library.finalize()
        code = bytes(library._get_compiled_object())
    if b"NRT_" in code:
        # Another process would load it, but not numba's runtime, and crash.
        raise RuntimeError(
            f"the machine code of {kernel.name} calls numba's runtime; expected none: a function of NumPy that it "
            "calls was compiled for another function before, so write it as a loop"
        )
    return code


def libraries(kernel: Kernel) -> list[str]:
    """Return the files of libraries whose machine code a kernel calls, each as ``package/file``."""
    paths = {_attribute_of(*foreign.library.split(":")) for foreign in _foreign(kernel.function)}
    return sorted(f"{Path(path).parent.name}/{Path(path).name}" for path in paths)


def _foreign(function: Callable[..., Any]) -> list[Foreign]:
    named = [function.__globals__.get(name) for name in function.__code__.co_names]
    inner = [one for each in named if isinstance(each, Helper) for one in _foreign(each.function)]
    return [*(each for each in named if isinstance(each, Foreign)), *inner]


def _attribute_of(module: str, name: str) -> Any:
    return getattr(import_module(module), name)


def _with_helpers(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls what numba knows in the place of helpers and of functions of libraries."""
    found = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(found.get(name), Helper):
            found[name] = _compiled_helper(found[name], function)
        elif isinstance(found.get(name), Foreign):
            found[name] = _attribute_of(found[name].module, found[name].name)
    return python_types.FunctionType(function.__code__, found, function.__name__)


def _compiled_helper(helper: Helper, caller: Callable[..., Any]) -> Any:
    own, expected = helper.function.__code__.co_filename, caller.__code__.co_filename
    if own != expected:
        raise ValueError(
            f"helper {helper.function.__name__} lies in {own}; expected {expected}, the file of the kernel that calls "
            "it: the machine code in the cache belongs to this file alone"
        )
    return njit(nogil=True, _nrt=False)(_with_helpers(helper.function))


def _numba_type(argument: Argument) -> Any:
    if isinstance(argument, ArrayArgument):
        items = getattr(types, argument.dtype)
        return types.Array(items, argument.dimensions, "C", readonly=argument.constant)
    return types.int64 if argument is int else types.float64


class _Entry:
    """Writes the entry of a kernel: ``PyObject *entry(PyObject *, PyObject *const *arguments, Py_ssize_t count)``."""

    def __init__(self, context: Any, module: ir.Module, kernel: Kernel) -> None:
        self._context, self._module, self._kernel = context, module, kernel
        kind = ir.FunctionType(_POINTER, [_POINTER, _POINTER.as_pointer(), _LONG])
        self._function = ir.Function(module, kind, kernel.name)
        self._builder = ir.IRBuilder(self._function.append_basic_block())

    def write(self, described: Any, signature: Any) -> None:
        builder = self._builder
        _, given, count = self._function.args
        self._refuse_unless(builder.icmp_signed("==", count, _LONG(len(self._kernel.arguments))))
        values = [
            self._value(builder.load(builder.gep(given, [_LONG(n)])), argument, kind)
            for n, (argument, kind) in enumerate(zip(self._kernel.arguments, signature.args, strict=True))
        ]
        called = self._context.declare_function(self._module, described)
        thread = self._call("PyEval_SaveThread", _POINTER, [])
        status, _ = self._context.call_conv.call_function(
            builder, called, described.restype, described.argtypes, values
        )
        self._call("PyEval_RestoreThread", ir.VoidType(), [thread])
        with builder.if_then(status.is_error, likely=False):
            self._fail(RUNTIME_ERROR, f"{self._kernel.name} failed")
        none = self._symbol(NONE)
        self._call("Py_IncRef", ir.VoidType(), [none])
        builder.ret(none)

    def _value(self, given: Any, argument: Argument, kind: Any) -> Any:
        """Return numba's value of an argument; a Python object that does not fit is refused."""
        if isinstance(argument, ArrayArgument):
            return self._array(given, argument, kind)
        builder = self._builder
        if argument is int:
            value = self._call("PyLong_AsLongLong", _LONG, [given])
        else:
            value = self._call("PyFloat_AsDouble", _DOUBLE, [given])
        failed = self._call("PyErr_Occurred", _POINTER, [])
        with builder.if_then(cgutils.is_not_null(builder, failed), likely=False):
            builder.ret(_POINTER(None))
        return value

    def _array(self, given: Any, argument: ArrayArgument, kind: Any) -> Any:
        builder = self._builder
        flags = _INT(needed_flags(argument.constant))
        self._refuse_unless(self._is(self._field(given, OBJECT_TYPE, _POINTER), ARRAY_TYPE))
        self._refuse_unless(self._is(self._field(given, DESCRIPTION, _POINTER), dtype_symbol(argument.dtype)))
        rank = self._field(given, RANK, _INT)
        self._refuse_unless(builder.icmp_signed("==", rank, _INT(argument.dimensions)))
        held = builder.and_(self._field(given, FLAGS, _INT), flags)
        self._refuse_unless(builder.icmp_signed("==", held, flags))
        array = self._context.make_array(kind)(self._context, builder)
        data = self._field(given, DATA, self._context.get_data_type(kind.dtype).as_pointer())
        shape, strides = (
            [builder.load(builder.gep(start, [_LONG(n)])) for n in range(argument.dimensions)]
            for start in (self._field(given, where, _LONG.as_pointer()) for where in (SHAPE, STRIDES))
        )
        itemsize = self._context.get_abi_sizeof(self._context.get_data_type(kind.dtype))
        populate_array(array, data, shape, strides, itemsize, meminfo=None)
        return array._getvalue()

    def _field(self, given: Any, offset: int, kind: Any) -> Any:
        """Return the field of an object that lies `offset` bytes from its start."""
        place = self._builder.gep(given, [_LONG(offset)])
        return self._builder.load(self._builder.bitcast(place, kind.as_pointer()))

    def _is(self, address: Any, symbol: str) -> Any:
        return self._builder.icmp_unsigned("==", address, self._symbol(symbol))

    def _symbol(self, name: str) -> Any:
        """Return the address of something that lies outside of the machine code."""
        return self._module.globals.get(name) or ir.GlobalVariable(self._module, _BYTE, name)

    def _refuse_unless(self, condition: Any) -> None:
        with self._builder.if_then(self._builder.not_(condition), likely=False):
            self._fail(TYPE_ERROR, f"{self._kernel.name} got what it does not take")

    def _fail(self, error: str, text: str) -> None:
        builder = self._builder
        held = cgutils.global_constant(self._module, "text", cgutils.make_bytearray(text.encode() + b"\0"))
        self._call("PyErr_SetString", ir.VoidType(), [self._symbol(error), builder.bitcast(held, _POINTER)])
        builder.ret(_POINTER(None))

    def _call(self, name: str, returned: Any, values: list[Any]) -> Any:
        kind = ir.FunctionType(returned, [value.type for value in values])
        return self._builder.call(cgutils.get_or_insert_function(self._module, kind, name), values)
