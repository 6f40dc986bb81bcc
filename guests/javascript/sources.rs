//! Empty on purpose: the manifest exists so that cargo fetches and checks QuickJS-ng's sources.
