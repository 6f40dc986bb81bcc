//! Builds guest images: takes the snapshot, packs the files, names the inputs. Used by guests/*/build.sh only.

mod hash;
mod host;
mod index;
mod linker;
mod pack;
mod snapshot;
mod tree;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage:
  mote-guestkit snapshot IN.wasm OUT.wasm --init EXPORT [--root DIR] [--seed N]
  mote-guestkit root DIR OUT.img
  mote-guestkit pack IMAGES_DIR NAME INPUTS_HASH guest.json module.wasm root.img
  mote-guestkit add IMAGES_DIR NAME INPUTS_HASH FILE
  mote-guestkit hash PATH…";

type Outcome<T> = Result<T, Box<dyn Error>>;

fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["snapshot", input, output, options @ ..] => {
            let mut settings = snapshot::Settings::default();
            for pair in options.chunks(2) {
                match *pair {
                    ["--init", export] => settings.init = export.into(),
                    ["--root", dir] => settings.root = Some(tree::image(Path::new(dir))?),
                    ["--seed", seed] => settings.seed = seed.parse()?,
                    _ => return Err(USAGE.into()),
                }
            }
            let module = snapshot::take(&std::fs::read(input)?, settings)?;
            std::fs::write(output, module)?;
        }
        ["root", dir, output] => std::fs::write(output, tree::image(Path::new(dir))?)?,
        ["pack", images, name, inputs, files @ ..] => {
            let file = format!("{name}.tar.zst");
            let packed = pack::pack(files)?;
            std::fs::write(Path::new(images).join(&file), &packed)?;
            index::update(&Path::new(images).join("images.json"), name, &file, &packed, inputs)?;
        }
        ["add", images, name, inputs, path] => {
            let file = std::fs::read(path)?;
            std::fs::write(Path::new(images).join(name), &file)?;
            index::update(&Path::new(images).join("images.json"), name, name, &file, inputs)?;
        }
        ["hash", paths @ ..] if !paths.is_empty() => println!("{}", hash::inputs(paths)?),
        _ => return Err(USAGE.into()),
    }
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mote-guestkit: {error}");
            ExitCode::FAILURE
        }
    }
}
