package dev.oncefold.testkit;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/** What is no failure, such as an assumption that does not hold, is made one: a claim is proven. */
final class NothingAborts
    implements TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {
  @Override
  public void handleTestExecutionException(ExtensionContext test, Throwable thrown) {
    throw failure(thrown);
  }

  @Override
  public void handleBeforeAllMethodExecutionException(ExtensionContext test, Throwable thrown) {
    throw failure(thrown);
  }

  @Override
  public void handleBeforeEachMethodExecutionException(ExtensionContext test, Throwable thrown) {
    throw failure(thrown);
  }

  @Override
  public void handleAfterEachMethodExecutionException(ExtensionContext test, Throwable thrown) {
    throw failure(thrown);
  }

  @Override
  public void handleAfterAllMethodExecutionException(ExtensionContext test, Throwable thrown) {
    throw failure(thrown);
  }

  private static AssertionError failure(Throwable thrown) {
    return thrown instanceof AssertionError failed
        ? failed
        : new AssertionError("the claim is not proven: " + thrown, thrown);
  }
}
