'use strict';

// OpenTelemetry with its instrumentation of http and that of ws; spans stay in memory.

const { context, trace } = require('@opentelemetry/api');
const {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor
} = require('@opentelemetry/sdk-trace-node');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { WSInstrumentation } = require('opentelemetry-instrumentation-ws');
const record = require('../record.cjs');

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();
const instrumentations = [
  new HttpInstrumentation(),
  new WSInstrumentation({ sendSpans: true, messageEvents: true })
];
for (const instrumentation of instrumentations) {
  instrumentation.setTracerProvider(provider);
  instrumentation.enable();
}

(async () => {
  const app = require('./app.cjs');
  const WebSocket = require('ws');
  const tracer = trace.getTracer('program');
  const span = tracer.startSpan('program');
  record(
    'the program',
    await context.with(trace.setSpan(context.active(), span), () => app(WebSocket))
  );
  span.end();
  await provider.forceFlush();
  const spans = exporter
    .getFinishedSpans()
    .map(({ name, kind, status, events, attributes, parentSpanContext }) => [
      name.replace(/\d{4,}/, 'PORT'),
      kind,
      status.code,
      events.map((event) => event.name),
      Object.keys(attributes).sort(),
      parentSpanContext !== undefined
    ]);
  record('spans', spans.map((value) => JSON.stringify(value)).sort());
})();
