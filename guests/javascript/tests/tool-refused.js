await tools.refuse({});
