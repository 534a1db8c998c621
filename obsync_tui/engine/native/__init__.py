"""The kernel: a row plan's work in C, an extension module that is built where there is a compiler."""
