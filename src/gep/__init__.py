"""Gross Ecosystem Product accounts of counties from rasters, polygons and tables."""
