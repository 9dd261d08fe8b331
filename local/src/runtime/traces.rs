//! Traces by OTLP over HTTP, as Spin sends them where `OTEL_EXPORTER_OTLP_ENDPOINT` is set: a span for each request, which continues the
//! trace that its `traceparent` names (<https://www.w3.org/TR/trace-context/>).
//!
//! Not supported, although Spin does: metrics and logs, spans of what the component does for the request, `traceparent` in the component's
//! own requests, other variables of OpenTelemetry than this one, gRPC, collectors behind TLS.

use std::time::Duration;

use anyhow::Context;
use http::{Request, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_http::hyper::HyperClient;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::runtime::Tokio;
use opentelemetry_sdk::trace::span_processor_with_async_runtime::BatchSpanProcessor;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};

/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a runtime's traces.
#[derive(Debug)]
pub(super) struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Makes it for a collector, such as `http://127.0.0.1:4318`. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If that is no URL.
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(HyperClient::with_default_connector(PATIENCE, None))
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()
            .with_context(|| format!("traces cannot be sent to `{endpoint}`"))?;
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name("spin").build())
            .with_span_processor(BatchSpanProcessor::builder(exporter, Tokio).build())
            .build();
        Ok(Self { tracer: provider.tracer("spin"), provider })
    }

    /// Begins the span of a request.
    pub(super) fn begin<B>(&self, request: &Request<B>) -> RequestSpan {
        let sender = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
        let attributes = [
            KeyValue::new("http.request.method", request.method().to_string()),
            KeyValue::new("url.path", request.uri().path().to_owned()),
        ];
        let span = self.tracer.span_builder(request.method().to_string()).with_kind(SpanKind::Server);
        RequestSpan(span.with_attributes(attributes).start_with_context(&self.tracer, &sender))
    }

    /// Sends what was not sent yet. Blocks.
    ///
    /// # Errors
    ///
    /// If the collector does not take it.
    pub(super) fn flush(&self) -> anyhow::Result<()> {
        self.provider.force_flush().context("the collector of traces does not take them")
    }
}

/// The span of a request. It ends when this is dropped.
pub(super) struct RequestSpan(opentelemetry_sdk::trace::Span);

impl RequestSpan {
    /// Ends it with the status of the answer.
    pub(super) fn end(mut self, status: StatusCode) {
        self.0.set_attribute(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
        self.0.end();
    }
}
