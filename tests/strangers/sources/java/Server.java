import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.server.McpServer;
import io.modelcontextprotocol.server.transport.HttpServletStreamableServerTransportProvider;
import io.modelcontextprotocol.spec.McpSchema;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;

/** A server with one tool, as the documentation of the Java SDK has it, in Tomcat. */
public class Server {
  public static void main(String[] arguments) throws Exception {
    var transport =
        HttpServletStreamableServerTransportProvider.builder().mcpEndpoint("/mcp").build();
    var schema = "{\"type\": \"object\", \"properties\": {\"a\": {\"type\": \"number\"},"
        + " \"b\": {\"type\": \"number\"}}, \"required\": [\"a\", \"b\"]}";
    var tool = McpSchema.Tool.builder()
        .name("add")
        .description("Add two numbers")
        .inputSchema(McpJsonDefaults.getMapper(), schema)
        .build();
    McpServer.sync(transport)
        .serverInfo("calculator", "1.0.0")
        .capabilities(McpSchema.ServerCapabilities.builder().tools(true).build())
        .toolCall(tool, (exchange, request) -> {
          var numbers = request.arguments();
          var sum = ((Number) numbers.get("a")).doubleValue() + ((Number) numbers.get("b")).doubleValue();
          return McpSchema.CallToolResult.builder().addTextContent(String.valueOf(sum)).build();
        })
        .build();

    var tomcat = new Tomcat();
    tomcat.setBaseDir("/tmp/tomcat");
    tomcat.setPort(8080);
    tomcat.getConnector();
    Context context = tomcat.addContext("", null);
    var wrapper = Tomcat.addServlet(context, "mcp", transport);
    wrapper.setAsyncSupported(true);
    context.addServletMappingDecoded("/*", "mcp");
    tomcat.start();
    tomcat.getServer().await();
  }
}
