import core = require('@locks/core')
import store = require('@locks/redis')
import program = require('./try-out.mts')

const url = process.env['LOCKS_URL'] ?? ''
void program.tryOut(() => Promise.resolve(new core.LockManager(store.adapter.fromUrl(url)))) // and handed in
