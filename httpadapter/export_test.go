package httpadapter

// IsSpecifiedGroup is for the fuzz targets from outside.
var IsSpecifiedGroup = isSpecifiedGroup
