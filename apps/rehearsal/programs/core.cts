import core = require('@locks/core')
import program = require('./try-out.mts')

void program.tryOut(() => core.openLocks('memory:'))
