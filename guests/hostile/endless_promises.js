// {"ends": "TIMED_OUT"}
// Never goes back to the event loop.
const again = () => Promise.resolve().then(again);
await again();
