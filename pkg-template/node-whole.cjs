// What node.mjs imports. It could import node.cjs, but then Node would first read all of that for the names of its exports.
const konserve = require('./node.cjs')

module.exports = konserve
