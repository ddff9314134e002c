package dev.oncefold.testkit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

/** Runs the suite, or some of its tests, inside a test. */
final class SuiteRun {
  private SuiteRun() {}

  /** All tests, as the build would run them. */
  static Events all(Class<? extends ConformanceSuite> suite) {
    return run(selectClass(suite));
  }

  /** The tests of a group. */
  static Events group(Class<? extends ConformanceSuite> suite, Class<?> group) {
    return run(DiscoverySelectors.selectNestedClass(List.of(suite), group));
  }

  /** The tests of these names. */
  static Events tests(Class<? extends ConformanceSuite> suite, Set<String> names) {
    return run(
        groups()
            .flatMap(
                group ->
                    claims(group)
                        .filter(names::contains)
                        .map(
                            name ->
                                DiscoverySelectors.selectNestedMethod(List.of(suite), group, name)))
            .toArray(DiscoverySelector[]::new));
  }

  /** How many tests there are, counted by reflection and not by what ran. */
  static long count() {
    return groups().flatMap(SuiteRun::claims).count();
  }

  /** The names of the tests that failed. */
  static Set<String> failed(Events tests) {
    return tests.failed().stream()
        .map(Event::getTestDescriptor)
        .map(test -> test.getLegacyReportingName().replace("()", ""))
        .collect(Collectors.toSet());
  }

  private static Stream<Class<?>> groups() {
    return Arrays.stream(ConformanceSuite.class.getDeclaredClasses())
        .filter(each -> each.isAnnotationPresent(Nested.class));
  }

  private static Stream<String> claims(Class<?> group) {
    return Arrays.stream(group.getSuperclass().getDeclaredMethods())
        .filter(each -> each.isAnnotationPresent(Test.class))
        .map(Method::getName);
  }

  private static Events run(DiscoverySelector... selectors) {
    return EngineTestKit.engine("junit-jupiter")
        .enableImplicitConfigurationParameters(true)
        .selectors(selectors)
        .execute()
        .testEvents();
  }
}
