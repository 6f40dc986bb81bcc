const path = require("path"); module.exports = { dir: __dirname, file: path.basename(__filename), other: require("./data.json").n };
