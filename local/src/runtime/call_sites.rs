//! Names what a component calls, by the instruction that calls it: no interface has to be counted by itself, and a call of
//! the component model's own built-ins has a name as well.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use anyhow::Context;
use wasmparser::{ElementItems, FuncType, FunctionBody, Operator, Parser, Payload, TypeRef};
use wasmtime::WasmBacktrace;

/// The call instructions of all core modules of a component, by their offset in its file.
pub(super) struct CallSites(HashMap<usize, Callee>);

enum Callee {
    /// An import: the names of its interface and function. Through a table, all that have the type.
    Import(String),
    /// A function of the module.
    Other,
}

impl CallSites {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let wasm = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        Self::parse(&wasm).with_context(|| format!("`{}` cannot be parsed", path.display()))
    }

    fn parse(wasm: &[u8]) -> anyhow::Result<Self> {
        let mut sites = HashMap::new();
        // Modules do not nest, so one is at hand at a time.
        let mut module = Module::default();
        for payload in Parser::new(0).parse_all(wasm) {
            match &payload? {
                Payload::Version { .. } => module = Module::default(),
                Payload::CodeSectionEntry(body) => module.add_calls(body, &mut sites)?,
                payload => module.read(payload)?,
            }
        }
        Ok(Self(sites))
    }

    /// Returns what the innermost guest of this backtrace calls, or `None` if it does not call: a growing memory is the
    /// engine's own business.
    ///
    /// wit-component puts a module in between for functions that need the memory. It calls through a table, and the frame
    /// around it has the import.
    pub(super) fn called(&self, backtrace: &WasmBacktrace) -> Option<&str> {
        for frame in backtrace.frames() {
            match self.0.get(&frame.module_offset()?)? {
                Callee::Import(name) => return Some(name),
                Callee::Other => {}
            }
        }
        Some("unknown")
    }
}

/// What the calls of a core module refer to.
#[derive(Default)]
struct Module {
    types: Vec<Option<FuncType>>,
    imports: Vec<Import>,
    /// Of the imports that are in a table.
    in_tables: BTreeSet<usize>,
}

struct Import {
    module: String,
    name: String,
    type_index: u32,
}

impl Module {
    fn read(&mut self, payload: &Payload<'_>) -> anyhow::Result<()> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section.clone() {
                    let types = group?.into_types().map(|declared| match declared.composite_type.inner {
                        wasmparser::CompositeInnerType::Func(function) => Some(function),
                        _ => None,
                    });
                    self.types.extend(types);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.clone().into_imports() {
                    let import = import?;
                    if let TypeRef::Func(type_index) | TypeRef::FuncExact(type_index) = import.ty {
                        let (module, name) = (import.module.to_owned(), import.name.to_owned());
                        self.imports.push(Import { module, name, type_index });
                    }
                }
            }
            Payload::ElementSection(section) => {
                for element in section.clone() {
                    let ElementItems::Functions(functions) = element?.items else { continue };
                    for function in functions {
                        self.in_tables.extend(usize::try_from(function?).ok().filter(|at| *at < self.imports.len()));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add_calls(&self, body: &FunctionBody<'_>, sites: &mut HashMap<usize, Callee>) -> anyhow::Result<()> {
        for operator in body.get_operators_reader()?.into_iter_with_offsets() {
            let (name, offset) = match operator? {
                (Operator::Call { function_index }, offset) => (self.import(function_index), offset),
                (Operator::CallIndirect { type_index, .. }, offset) => (self.imports_of_type(type_index), offset),
                _ => continue,
            };
            sites.insert(offset, name.map_or(Callee::Other, Callee::Import));
        }
        Ok(())
    }

    fn import(&self, function_index: u32) -> Option<String> {
        let import = self.imports.get(usize::try_from(function_index).ok()?)?;
        Some(format!("{} {}", import.module, import.name))
    }

    /// Returns the kinds of the imports that a table may have for a call of this type: which of them it is, only the guest
    /// knows. They are the built-ins of streams and futures, whose imports are one for each type of stream and future.
    fn imports_of_type(&self, type_index: u32) -> Option<String> {
        let function = |type_index: u32| self.types.get(usize::try_from(type_index).ok()?)?.as_ref();
        let called = function(type_index)?;
        let imports = self.in_tables.iter().filter_map(|at| self.imports.get(*at));
        let same = imports.filter(|import| function(import.type_index) == Some(called));
        let kinds: BTreeSet<&str> = same.map(|import| kind(&import.name)).collect();
        (!kinds.is_empty()).then(|| Vec::from_iter(kinds).join(" or "))
    }
}

/// Returns `stream-read` for `[async-lower][stream-read-0][method]connection.execute-async`, and any other name as it is.
fn kind(name: &str) -> &str {
    let start = name.strip_prefix("[async-lower]").unwrap_or(name);
    let built_in = start.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(built_in, _)| built_in);
    match built_in.and_then(|built_in| built_in.rsplit_once('-')) {
        Some((kind, number)) if number.bytes().all(|b| b.is_ascii_digit()) => kind,
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_in_of_streams_has_the_name_of_its_kind() {
        for (name, expected) in [
            ("[async-lower][stream-read-0][method]connection.execute-async", "stream-read"),
            ("[future-drop-readable-12][static]request.new", "future-drop-readable"),
            ("[method]fields.copy-all", "[method]fields.copy-all"),
            ("get", "get"),
        ] {
            assert_eq!(kind(name), expected);
        }
    }
}
