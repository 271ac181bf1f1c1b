/** A service in Java that reads the flag every 20 ms until its input closes, and prints each read. */
class Reader {
    public static void main(String[] args) throws Exception {
        var input = new Thread(() -> {
            try {
                System.in.readAllBytes();
            } catch (java.io.IOException closed) {
                // the same
            }
            System.exit(0);
        });
        input.setDaemon(true);
        input.start();
        while (true) {
            Thread.sleep(20);
            double at = System.currentTimeMillis() / 1000.0;
            long began = System.nanoTime();
            String provider = SupportChat.route("customer-1").get("provider").asString();
            double took = (System.nanoTime() - began) / 1e9;
            System.out.println("{\"at\": " + at + ", \"took_s\": " + took + ", \"provider\": \"" + provider + "\", \"reason\": \"\"}");
        }
    }
}
