"""One module per service and method: scalar kernels and SERVICE."""
