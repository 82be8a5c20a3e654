import otel = require('@locks/otel')
import program = require('./telemetry.mts')

void program.tryTelemetry(() => otel.instrumentLocks({ name: otel.withoutIds }))
