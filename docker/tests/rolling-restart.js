// Load for rolling-restart.sh: four reads and one create in five requests, at a fixed rate. Every request must succeed.
import http from 'k6/http';
import { Counter } from 'k6/metrics';

const created = new Counter('leads_created');
const headers = { authorization: `Bearer ${__ENV.TOKEN}`, 'content-type': 'application/json' };

export const options = {
  scenarios: {
    steady: {
      executor: 'constant-arrival-rate',
      rate: Number(__ENV.RATE),
      timeUnit: '1s',
      duration: `${__ENV.DURATION}s`,
      preAllocatedVUs: 20,
      maxVUs: 200,
    },
  },
  thresholds: { http_req_failed: ['rate==0'] },
  summaryTrendStats: ['p(50)', 'p(99)', 'max'],
};

export default function () {
  if (__ITER % 5 === 0) {
    const answer = http.post(`${__ENV.URL}/api/leads`, JSON.stringify({ first_name: 'Rolling', source: 'referral' }), { headers });
    if (answer.status === 201) created.add(1);
  } else {
    http.get(`${__ENV.URL}/api/leads?limit=10`, { headers });
  }
}

export function handleSummary(data) {
  const values = (name) => (data.metrics[name] ? data.metrics[name].values : {});
  const summary = {
    requests: values('http_reqs').count || 0,
    failed: values('http_req_failed').passes || 0,
    created: values('leads_created').count || 0,
    p99_ms: values('http_req_duration')['p(99)'],
    max_ms: values('http_req_duration').max,
  };
  return { [__ENV.SUMMARY]: JSON.stringify(summary) };
}
