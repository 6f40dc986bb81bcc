// {"ends": ["exit", "ok"]}
process.exit({ valueOf: () => 3 });
