use serde_json::json;

use super::*;

#[test]
fn what_comes_with_the_program_is_listed_first_and_whole() {
    let library = tempfile::tempdir().unwrap();
    let models = installed_in(library.path());
    let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
    assert_eq!(names, BUILT_IN);
    for model in &models {
        assert_eq!((&model.problem, model.built_in), (&None, true), "{model:?}");
        assert!(model.bytes > 50_000_000 && model.folder.is_dir());
    }
    assert_eq!(models[0].abilities, ["reads text", "answers questions about the text"]);
    assert_eq!(models[0].licence.as_deref(), Some("Apache-2.0"));
    assert_eq!(models[1].abilities, ["understands speech"]);
    assert_eq!(models[1].languages, ["English", "98 other languages"]);
    let quantization = models[1].quantization.as_deref().unwrap();
    assert_eq!(quantization, "4 bit by RPIQ, a layer's error is 0.81 of GPTQ's");
}

#[test]
fn a_library_that_is_not_there_is_empty() {
    assert_eq!(installed_in(Path::new("/no/such/folder")).len(), BUILT_IN.len());
}

#[test]
fn damaged_models_say_what_is_wrong_and_other_things_are_no_models() {
    let library = tempfile::tempdir().unwrap();
    let write = |name: &str, contents: &str| {
        let path = library.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, contents).unwrap();
    };
    for no_model in
        ["notes/letter.txt", "x.rpiq-parts/block-00000-stage-0.safetensors", ".x.partial/config.json", "file.txt"]
    {
        write(no_model, "{}");
    }
    write("a-torn/config.json", "{");
    write("b-empty/config.json", "{\"model_type\": \"llama\"}");
    write("c-opera/config.json", "{\"model_type\": \"opera\"}");
    write("c-opera/model.safetensors", "\u{2}\0\0\0\0\0\0\0{}");
    write("d-lost/manifest.json", "{\"version\": 1, \"files\": {}}");
    let shards = json!({"weight_map": {"a": "model-00001-of-00001.safetensors"}}).to_string();
    write("e-shard/config.json", "{\"model_type\": \"llama\"}");
    write("e-shard/model.safetensors.index.json", &shards);
    let speech = transcribe::find().unwrap();
    write("speech/config.json", &fs::read_to_string(speech.join("config.json")).unwrap());

    let models: Vec<ModelEntry> = installed_in(library.path()).into_iter().filter(|model| !model.built_in).collect();
    let problems: Vec<(&str, &str)> =
        models.iter().map(|model| (model.name.as_str(), model.problem.as_deref().unwrap_or("none"))).collect();
    let expected = [
        ("a-torn", "config.json is damaged: its JSON is wrong"),
        ("b-empty", "holds no .safetensors file"),
        ("c-opera", "a model of the kind opera is not supported"),
        ("d-lost", "holds neither a config.json nor a .gguf file"),
        ("e-shard", "its file model-00001-of-00001.safetensors is missing; import the model again"),
        ("speech", "its name is that of a model that comes with the program"),
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:?}");
    for ((name, problem), (of, part)) in problems.into_iter().zip(expected) {
        assert!(name == of && problem.contains(part), "{name}: {problem}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_changed_its_size_or_is_gone_is_noticed() {
    let library = tempfile::tempdir().unwrap();
    let model = library.path().join("mine");
    fs::create_dir(&model).unwrap();
    for file in fs::read_dir(transcribe::find().unwrap()).unwrap() {
        let file = file.unwrap();
        std::os::unix::fs::symlink(file.path(), model.join(file.file_name())).unwrap();
    }
    assert_eq!(inspect(&model).problem, None);
    let listed = model.join("generation_config.json");
    fs::remove_file(&listed).unwrap();
    let problem = |what: &str| Some(format!("its file generation_config.json is {what}; import the model again"));
    assert_eq!(inspect(&model).problem, problem("missing"));
    fs::write(&listed, "{\"longer\": \"than before\"}").unwrap();
    assert_eq!(inspect(&model).problem, problem("damaged"));
}

#[test]
fn a_model_in_full_precision_says_what_to_do() {
    let library = tempfile::tempdir().unwrap();
    let model = library.path().join("tiny");
    let tiny = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/parity/gguf/llama-llama3.gguf");
    Checkpoint::open(tiny).unwrap().save_hf(&model, &Default::default()).unwrap();
    let problem = inspect(&model).problem.unwrap();
    assert!(problem.starts_with("a model in full precision is not supported; move its folder elsewhere"), "{problem}");
}
