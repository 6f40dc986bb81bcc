function ask() {
  return tools.fail({});
}
await ask();
