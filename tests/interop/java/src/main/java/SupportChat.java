import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.ImmutableStructure;
import dev.openfeature.sdk.OpenFeatureAPI;
import dev.openfeature.sdk.Value;
import java.time.Duration;
import java.util.Map;

class SupportChat {
    static final Value FALLBACK = // the code default
            new Value(new ImmutableStructure(Map.of("provider", new Value("code"), "model", new Value("gpt-5"))));
    static final Client CLIENT = connect();

    static Client connect() {
        String token = System.getenv("UNDERSTUDY_READ_TOKEN");
        var options = OfrepProviderOptions.builder()
                .baseUrl(System.getenv("FLAGS_URL"))
                .headers(ImmutableMap.of("Authorization", ImmutableList.of("Bearer " + token)))
                .requestTimeout(Duration.ofMillis(1000))
                .build();
        OpenFeatureAPI.getInstance().setProviderAndWait("understudy", OfrepProvider.constructProvider(options));
        return OpenFeatureAPI.getInstance().getClient("understudy");
    }

    /** Where to send this customer's question. */
    static Map<String, Value> route(String customer) {
        return CLIENT.getObjectValue("support-chat.llm", FALLBACK, new ImmutableContext(customer)).asStructure().asMap();
    }
}
