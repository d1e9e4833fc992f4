const { sync, KonserveError, Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid } = require('./node.cjs')

module.exports = { ...sync, KonserveError, Char, Decimal, Keyword, List, Ratio, Symbol_, Tagged, Uuid }
