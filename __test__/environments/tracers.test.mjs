/**
 * Tracers that are loaded before ws and patch it, http or both. Spans are counted, and sent nowhere. The programs are in
 * project/tracers/.
 */

import { compare } from './compare.mjs';

/** Datadog prints its spans, and connects to no agent. */
const DATADOG = {
  DD_TRACE_EXPERIMENTAL_EXPORTER: 'log',
  DD_TRACE_WEBSOCKET_MESSAGES_ENABLED: 'true',
  DD_INSTRUMENTATION_TELEMETRY_ENABLED: 'false',
  DD_REMOTE_CONFIGURATION_ENABLED: 'false',
  DD_TRACE_STARTUP_LOGS: 'false',
  DD_CRASHTRACKING_ENABLED: 'false'
};

/**
 * The spans printed by Datadog: names, services, errors, and the kind of each parent.
 *
 * @param {import('./compare.mjs').Run} run
 */
function datadogSpans({ stdout }) {
  const spans = stdout
    .split('\n')
    .filter((line) => line.startsWith('{"traces"'))
    .flatMap((line) => JSON.parse(line).traces.flat());
  const names = new Map(spans.map(({ span_id: id, name }) => [id, name]));
  return spans
    .map(({ name, resource, error, parent_id: parent, span_links: links = [] }) =>
      JSON.stringify([
        name,
        resource.replace(/\d{4,}/, 'PORT'),
        error,
        names.get(parent) ?? 'none',
        links.length
      ])
    )
    .sort();
}

compare('Datadog, CommonJS', ['--require=dd-trace/init', 'tracers/main.cjs'], {
  env: DATADOG,
  read: datadogSpans
});
compare('Datadog, ESM', ['--no-warnings', '--import=dd-trace/initialize.mjs', 'tracers/main.mjs'], {
  env: DATADOG,
  // The ESM entry of ws imports its files one by one, where Datadog does not trace it: only the spans of both are compared.
  read: (run) => datadogSpans(run).filter((span) => span.startsWith('["http.request"'))
});
compare('OpenTelemetry', ['tracers/opentelemetry.cjs'], { records: 2 });
compare('Sentry', ['tracers/sentry.cjs'], { records: 2 });
compare('Elastic APM', ['tracers/elastic.cjs'], { records: 3 });
compare('New Relic', ['--require=newrelic', 'tracers/main.cjs'], {
  env: {
    NEW_RELIC_NO_CONFIG_FILE: 'true',
    NEW_RELIC_SERVERLESS_MODE_ENABLED: 'true',
    NEW_RELIC_LOG_ENABLED: 'false',
    NEW_RELIC_APP_NAME: 'program'
  },
  isGate: false
});
