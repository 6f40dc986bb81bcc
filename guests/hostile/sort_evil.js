// {"ends": ["ok", "exit"]}
const victims = Array.from({ length: 1000 }, (_, n) => n);
victims.sort(() => {
  victims.length = 0;
  return Math.random() - 0.5;
});
