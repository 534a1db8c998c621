import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.FileReader;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Properties;

/**
 * Runs the Debezium engine and only counts what it is handed: java Counter PROPERTIES RECORDS PREFIX.
 *
 * Records of destinations that begin with PREFIX count. After RECORDS of them it prints one line of JSON and ends, with
 * its offsets stored: counts; the monotonic clock and the JVM's CPU time, both in s, at the first record, half of them and the last.
 */
public final class Counter implements DebeziumEngine.ChangeConsumer<ChangeEvent<String, String>> {
    private static final com.sun.management.OperatingSystemMXBean SYSTEM =
        (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private final long expected;
    private final String prefix;
    private long records;
    private long bytes;
    private long firstNanos;
    private long firstCpuNanos;
    private long halfNanos;
    private long halfRecords;
    private DebeziumEngine<?> engine;

    private Counter(long expected, String prefix) {
        this.expected = expected;
        this.prefix = prefix;
    }

    @Override
    public void handleBatch(
        List<ChangeEvent<String, String>> batch,
        DebeziumEngine.RecordCommitter<ChangeEvent<String, String>> committer
    ) throws InterruptedException {
        if (records == 0) {
            firstNanos = System.nanoTime();
            firstCpuNanos = SYSTEM.getProcessCpuTime();
        }
        for (ChangeEvent<String, String> event : batch) {
            if (event.value() != null && event.destination().startsWith(prefix)) {
                records++;
                bytes += event.value().length() + (event.key() == null ? 0 : event.key().length());
            }
            committer.markProcessed(event);
        }
        committer.markBatchFinished();
        if (halfRecords == 0 && records >= expected / 2) {
            halfNanos = System.nanoTime();
            halfRecords = records;
        }
        if (records >= expected) {
            end();
        }
    }

    private void end() {
        System.out.printf(
            "{\"records\": %d, \"bytes\": %d, \"first_s\": %.6f, \"first_cpu_s\": %.6f, \"half_records\": %d, "
                + "\"half_s\": %.6f, \"last_s\": %.6f, \"last_cpu_s\": %.6f}%n",
            records, bytes, firstNanos / 1e9, firstCpuNanos / 1e9, halfRecords,
            halfNanos / 1e9, System.nanoTime() / 1e9, SYSTEM.getProcessCpuTime() / 1e9);
        System.out.flush();
        // Closing waits for this very call, so it is another thread's work.
        new Thread(() -> {
            try {
                engine.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
            Runtime.getRuntime().halt(0);
        }).start();
    }

    public static void main(String[] arguments) throws Exception {
        Properties properties = new Properties();
        try (FileReader file = new FileReader(arguments[0])) {
            properties.load(file);
        }
        Counter counter = new Counter(Long.parseLong(arguments[1]), arguments[2]);
        counter.engine = DebeziumEngine.create(Json.class)
            .using(properties)
            .using((success, message, error) -> {
                if (!success) {
                    System.err.println("the engine ended: " + message);
                    if (error != null) {
                        error.printStackTrace();
                    }
                    Runtime.getRuntime().halt(1);
                }
            })
            .notifying(counter)
            .build();
        counter.engine.run();
    }
}
