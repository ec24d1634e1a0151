"""The compiler: recorded NumPy calls on fixed buffers, translated into machine code by LLVM.

It knows arrays, ufuncs and products, and nothing of networks.  LLVM itself, the package llvmlite,
is imported by `machine` alone, and only when something is compiled.
"""
