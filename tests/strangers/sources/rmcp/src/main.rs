//! A counter, as the examples of the Rust SDK have it.

use std::sync::Arc;

use rmcp::{
    ServerHandler, handler::server::router::tool::ToolRouter, model::{CallToolResult, ContentBlock}, tool,
    tool_handler, tool_router, ErrorData,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use tokio::sync::Mutex;

#[derive(Clone)]
struct Counter {
    count: Arc<Mutex<i32>>,
    tool_router: ToolRouter<Self>,
}

#[tool_router]
impl Counter {
    fn new() -> Self {
        Self { count: Arc::new(Mutex::new(0)), tool_router: Self::tool_router() }
    }

    #[tool(description = "Increment the counter by 1")]
    async fn increment(&self) -> Result<CallToolResult, ErrorData> {
        let mut count = self.count.lock().await;
        *count += 1;
        Ok(CallToolResult::success(vec![ContentBlock::text(count.to_string())]))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Counter {}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    // Hosts other than localhost have to be named.
    let hosts: Vec<String> = std::env::args().skip(1).collect();
    let service = StreamableHttpService::new(
        || Ok(Counter::new()),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default().with_allowed_hosts(hosts),
    );
    let router = axum::Router::new().nest_service("/mcp", service);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:8000").await?, router).await
}
