console.log("not run");
const x = ;
