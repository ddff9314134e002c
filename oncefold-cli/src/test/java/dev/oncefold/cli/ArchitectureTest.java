package dev.oncefold.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.oncefold.Slot;
import dev.oncefold.pipeline.Pipeline;
import dev.oncefold.sandbox.KafkaBroker;
import dev.oncefold.testkit.Verification;
import dev.oncefold.verify.Checker;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The dependency rules between modules and packages. They stand here because this module has the
 * others on its class path.
 */
class ArchitectureTest {
  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.oncefold");

  /** Taken from where the module lies, not by package name: a new package of it cannot hide. */
  private static final JavaClasses CORE =
      new ClassFileImporter()
          .importUrl(Slot.class.getProtectionDomain().getCodeSource().getLocation());

  private static final JavaClasses PIPELINE =
      new ClassFileImporter()
          .importUrl(Pipeline.class.getProtectionDomain().getCodeSource().getLocation());

  private static final JavaClasses VERIFY =
      new ClassFileImporter()
          .importUrl(Checker.class.getProtectionDomain().getCodeSource().getLocation());

  private static final JavaClasses SANDBOX =
      new ClassFileImporter()
          .importUrl(KafkaBroker.class.getProtectionDomain().getCodeSource().getLocation());

  private static final JavaClasses TESTKIT =
      new ClassFileImporter()
          .importUrl(Verification.class.getProtectionDomain().getCodeSource().getLocation());

  @Test
  void everyModuleIsSeen() {
    // The rules below prove something only about classes that were found.
    classes()
        .that()
        .resideInAPackage("dev.oncefold.cli")
        .should()
        .resideInAPackage("dev.oncefold.cli")
        .allowEmptyShould(false)
        .check(ALL);
    classes()
        .that()
        .resideInAPackage("dev.oncefold")
        .should()
        .resideInAPackage("dev.oncefold")
        .allowEmptyShould(false)
        .check(ALL);
    classes()
        .that()
        .resideInAPackage("dev.oncefold.pipeline")
        .should()
        .resideInAPackage("dev.oncefold.pipeline")
        .allowEmptyShould(false)
        .check(ALL);
  }

  @Test
  void coreUsesTheJdkAndNothingElse() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage("java..", "org.jspecify..", "dev.oncefold", "dev.oncefold.journal..")
        .because("users get one jar; engines call the kernel and nothing calls engines")
        .allowEmptyShould(false)
        .check(CORE);
  }

  @Test
  void coreKnowsNeitherPipelinesNorTheCommandNorTheBenchmarks() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.oncefold.pipeline..",
            "dev.oncefold.cli..",
            "dev.oncefold.bench..",
            "dev.oncefold.verify..",
            "dev.oncefold.testkit..",
            "dev.oncefold.sandbox..")
        .allowEmptyShould(false)
        .check(CORE);
  }

  @Test
  void theProofKnowsNoEngine() {
    classes()
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            "java..",
            "org.jspecify..",
            "com.fasterxml.jackson.core..",
            "dev.oncefold",
            "dev.oncefold.verify")
        .because("a checker that knows the engine repeats its mistakes")
        .allowEmptyShould(false)
        .check(VERIFY);
  }

  /**
   * Of the core it has the words: verdicts, counts, the form of an output's id; nothing that
   * judges.
   */
  @Test
  void theCheckerSharesNothingThatJudges() {
    noClasses()
        .that()
        .haveNameMatching(
            "dev\\.oncefold\\.verify\\.(Checker|Walk|Slots|Stream|RememberedIds|Judgement|Witness"
                + "|TraceModel|RecordedModel|Observation)(\\$.*)?")
        .should()
        .dependOnClassesThat(
            resideInAPackage("dev.oncefold")
                .and(not(nameMatching("(\\[L)?dev\\.oncefold\\.(Verdict|Counts)(\\$.*)?"))))
        .because("a mistake must not be made twice in one place")
        .allowEmptyShould(false)
        .check(VERIFY);
  }

  @Test
  void theTestkitKnowsNeitherPipelinesNorTheCommand() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.oncefold.pipeline..", "dev.oncefold.cli..", "dev.oncefold.bench..")
        .allowEmptyShould(false)
        .check(TESTKIT);
    classes()
        .should()
        .resideInAPackage("dev.oncefold.testkit")
        .because("each module has one package")
        .allowEmptyShould(false)
        .check(TESTKIT);
  }

  @Test
  void theSandboxKnowsServersAndNoEngine() {
    noClasses()
        .should()
        .dependOnClassesThat(
            resideInAPackage("dev.oncefold..")
                .and(not(resideInAnyPackage("dev.oncefold.sandbox", "dev.oncefold.verify"))))
        .because("any program may start a broker or a database with it")
        .allowEmptyShould(false)
        .check(SANDBOX);
    classes()
        .should()
        .resideInAPackage("dev.oncefold.sandbox")
        .because("each module has one package")
        .allowEmptyShould(false)
        .check(SANDBOX);
  }

  /** The command has the crash rig and the checker, and no JUnit. */
  @Test
  void theCommandNeedsNoJUnit() {
    noClasses()
        .that()
        .resideInAPackage("dev.oncefold.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.junit..")
        .allowEmptyShould(false)
        .check(ALL);
  }

  @Test
  void pipelinesUseTheCoreAndKnowNoCommand() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.oncefold.cli..",
            "dev.oncefold.bench..",
            "dev.oncefold.kafka..",
            "dev.oncefold.postgres..",
            "org.apache.kafka..",
            "org.postgresql..")
        .because("a program may load a pipeline without the command, and without clients")
        .allowEmptyShould(false)
        .check(PIPELINE);
    classes()
        .should()
        .resideInAPackage("dev.oncefold.pipeline")
        .because("each module has one package")
        .allowEmptyShould(false)
        .check(PIPELINE);
  }

  @Test
  void theCommandLeavesYamlAndCelToPipelines() {
    noClasses()
        .that()
        .resideInAPackage("dev.oncefold.cli..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.cel..", "com.fasterxml.jackson.dataformat..", "de.siegmar..")
        .allowEmptyShould(false)
        .check(ALL);
  }

  @Test
  void theModelDoesNotKnowTheJournal() {
    noClasses()
        .that()
        .resideInAPackage("dev.oncefold")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.oncefold.journal..")
        .because("the journal is one store among others")
        .allowEmptyShould(false)
        .check(CORE);
  }

  @Test
  void packagesFormNoCycle() {
    slices().matching("dev.(**)").should().beFreeOfCycles().allowEmptyShould(false).check(ALL);
  }

  @Test
  void librariesAreSilent() {
    for (JavaClasses library : List.of(CORE, PIPELINE)) {
      NO_CLASSES_SHOULD_ACCESS_STANDARD_STREAMS
          .because("a library answers by values and exceptions")
          .allowEmptyShould(false)
          .check(library);
    }
  }

  @Test
  void namesSayWhatAThingIs() {
    classes()
        .should()
        .haveNameNotMatching(".*(Processor|Manager|Handler|Context|Helper|Utils?)")
        .because("such a name fits anything")
        .allowEmptyShould(false)
        .check(ALL);
  }

  @Test
  void theReferenceOfTheDemoUsesNothingOfWhatItChecks() {
    classes()
        .that()
        .haveNameMatching("dev\\.oncefold\\.cli\\.(Topic)?Reference(\\$.*)?")
        .should()
        .onlyDependOnClassesThat(
            resideInAPackage("java..").or(nameMatching(".*\\.(Topic)?Reference(\\$.*)?")))
        .because("a mistake must not be made twice in one place")
        .allowEmptyShould(false)
        .check(ALL);
  }
}
