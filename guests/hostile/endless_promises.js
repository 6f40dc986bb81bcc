// {"ends": ["TIMED_OUT", "MEMORY_EXCEEDED"]}
// Never goes back to the event loop. Every promise waits for the next one, so on a fast machine memory ends it first.
const again = () => Promise.resolve().then(again);
await again();
