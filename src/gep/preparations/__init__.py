"""Preparations of factor rasters from raw data: one module per raster, found by the registry."""
