throw new RangeError("from the module");
