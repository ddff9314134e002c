package dev.oncefold;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.module.Configuration;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReader;
import java.lang.module.ModuleReference;
import java.net.URI;
import java.net.URL;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Loads a class of the tests once more, where the library has other rights. */
final class Elsewhere {
  private Elsewhere() {}

  /** In a loader of its own, as with engines that load the user's code. */
  static Class<?> inOwnLoader(Class<?> type) throws ClassNotFoundException {
    String outermost = type.getNestHost().getName();
    ClassLoader loader =
        new ClassLoader(Elsewhere.class.getClassLoader()) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            // The class with those that it is nested in and that are nested in it.
            if (!name.startsWith(outermost)) {
              return super.loadClass(name, resolve);
            }
            Class<?> known = findLoadedClass(name);
            if (known != null) {
              return known;
            }
            byte[] bytes = bytes(name.replace('.', '/') + ".class");
            return defineClass(name, bytes, 0, bytes.length);
          }
        };
    return loader.loadClass(type.getName());
  }

  /** In a module that opens its packages. */
  static Class<?> inOpenModule(Class<?> type) throws ClassNotFoundException {
    return inModule(type, ModuleDescriptor.newOpenModule("elsewhere"));
  }

  /** In a module that does not. */
  static Class<?> inClosedModule(Class<?> type) throws ClassNotFoundException {
    return inModule(type, ModuleDescriptor.newModule("elsewhere"));
  }

  private static Class<?> inModule(Class<?> type, ModuleDescriptor.Builder module)
      throws ClassNotFoundException {
    ModuleDescriptor descriptor =
        module.requires("java.base").packages(Set.of(type.getPackageName())).build();
    ModuleReference reference =
        new ModuleReference(descriptor, null) {
          @Override
          public ModuleReader open() {
            return new Classpath();
          }
        };
    ModuleFinder finder =
        new ModuleFinder() {
          @Override
          public Optional<ModuleReference> find(String name) {
            return name.equals(descriptor.name()) ? Optional.of(reference) : Optional.empty();
          }

          @Override
          public Set<ModuleReference> findAll() {
            return Set.of(reference);
          }
        };
    Configuration configuration =
        ModuleLayer.boot()
            .configuration()
            .resolve(finder, ModuleFinder.of(), Set.of(descriptor.name()));
    return ModuleLayer.defineModulesWithOneLoader(
            configuration, List.of(ModuleLayer.boot()), ClassLoader.getPlatformClassLoader())
        .layer()
        .findLoader(descriptor.name())
        .loadClass(type.getName());
  }

  private static byte[] bytes(String resource) {
    try (InputStream in = Elsewhere.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new AssertionError("no " + resource);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Gives the module what is on the class path. */
  private static final class Classpath implements ModuleReader {
    @Override
    public Optional<URI> find(String name) {
      URL url = Elsewhere.class.getClassLoader().getResource(name);
      return url == null ? Optional.empty() : Optional.of(URI.create(url.toString()));
    }

    @Override
    public Stream<String> list() {
      return Stream.empty();
    }

    @Override
    public void close() {}
  }
}
