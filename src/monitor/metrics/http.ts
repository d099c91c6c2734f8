// Requests. Names follow OpenTelemetry's semantic conventions for HTTP servers, in the spelling of Prometheus.
import { counter, histogram, inSeconds, levelOfWorkers, type Metric, one } from './metric.ts';

export const httpMetrics: readonly Metric[] = [
  histogram(
    'http_server_request_duration_seconds',
    'From the arrival of a request until its answer was with the operating system. Answers of the fast path are counted in the first bucket and add nothing to the sum.',
    ['http_request_method', 'http_response_status_code', 'http_route'],
    ({ counts }) =>
      counts.http.answered.map(({ route, method, status, durations }) =>
        inSeconds(
          { http_request_method: method, http_response_status_code: status, http_route: route },
          durations,
        ),
      ),
  ),
  counter(
    'coherent_http_sent_bytes_total',
    'Bytes of pages sent: bodies, and heads where the fast path answered.',
    ['http_route'],
    ({ counts }) =>
      counts.pages.map(({ route, sentBytes }) => ({ labels: { http_route: route }, value: sentBytes })),
  ),
  counter(
    'coherent_http_fast_path_requests_total',
    'Requests answered with prepared bytes, without the ordinary path.',
    [],
    ({ counts }) => one(counts.http.fastPath),
  ),
  counter(
    'coherent_http_shortcut_requests_total',
    'The earlier name of coherent_http_fast_path_requests_total; goes with the next version.',
    [],
    ({ counts }) => one(counts.http.fastPath),
  ),
  counter(
    'coherent_http_slow_readers_total',
    'Connections cut because the visitor took nothing for SEND_TIMEOUT_MS.',
    [],
    ({ counts }) => one(counts.http.slowReaders),
  ),
  counter(
    'coherent_http_connections_refused_total',
    'Connections closed to make room, above MAX_CONNECTIONS.',
    [],
    ({ counts }) => one(counts.http.connectionsRefused),
  ),
  levelOfWorkers('coherent_http_connections', 'Open connections.', ({ http }) => http.connections),
  levelOfWorkers(
    'coherent_http_connections_busy',
    'Connections with an answer under way, those of the fast path aside.',
    ({ http }) => http.inFlight,
  ),
];
