console.log("ÿ");
