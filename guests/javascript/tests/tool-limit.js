await tools.limit({});
