// {"ends": "exit", "exitCode": 1}
throw {
  get stack() { throw 1; },
  get message() { throw 2; },
  toString() { throw 3; },
  [Symbol.toPrimitive]() { throw 4; },
};
