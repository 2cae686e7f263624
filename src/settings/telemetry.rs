//! Where traces and metrics go.

use url::Url;

use super::reader::{BadSettings, SettingsReader, Vars};

/// Where traces and metrics go, and what the specification of OpenTelemetry leaves to the program. All
/// other variables of that specification, `OTEL_EXPORTER_OTLP_HEADERS` among them, are read by its
/// library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, to which the path of a signal is added.
    pub endpoint: Url,
    /// Whether a variable says under which name the program reports.
    pub is_named: bool,
    /// Whether a variable says which traces are recorded.
    pub has_sampler: bool,
}

impl TelemetrySettings {
    /// Reads them; `None` if no traces and metrics are wanted.
    ///
    /// # Errors
    /// If they can't be used.
    pub fn read(vars: &Vars) -> Result<Option<TelemetrySettings>, BadSettings> {
        let mut reader = SettingsReader::new(vars);
        let settings = TelemetrySettings::read_with(&mut reader);
        reader.finish(Some(settings))
    }

    fn read_with(reader: &mut SettingsReader<'_>) -> Option<TelemetrySettings> {
        let disabled = reader.text("OTEL_SDK_DISABLED");
        if disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let text = reader.text(name)?;
        let protocol = reader.text("OTEL_EXPORTER_OTLP_PROTOCOL").unwrap_or("http/protobuf");
        if protocol != "http/protobuf" {
            reader.invalid(
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                super::reader::quoted(protocol),
                "http/protobuf, the only protocol that is spoken",
            );
        }
        let endpoint = reader.url_with_path(name, text)?;
        let attributes = reader.text("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
        Some(TelemetrySettings {
            endpoint,
            is_named: reader.text("OTEL_SERVICE_NAME").is_some()
                || attributes.split(',').any(|pair| pair.trim_start().starts_with("service.name=")),
            has_sampler: reader.text("OTEL_TRACES_SAMPLER").is_some(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(vars: &[(&str, &str)]) -> Result<Option<TelemetrySettings>, String> {
        let vars = vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        TelemetrySettings::read(&vars.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_an_endpoint_there_is_no_telemetry() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(
            read(&[("OTEL_SERVICE_NAME", "mail"), ("OTEL_EXPORTER_OTLP_ENDPOINT", " ")]),
            Ok(None)
        );
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.example");
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
    }

    #[test]
    fn an_endpoint_may_have_a_path_and_no_secret() {
        let endpoint = |text: &str| {
            let read = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", text)]);
            read.map(|settings| settings.expect("there is an endpoint").endpoint.to_string())
        };
        for good in ["https://otel.example/", "https://otel.example/otlp", "http://127.0.0.1:4318/"]
        {
            assert_eq!(endpoint(good).as_deref(), Ok(good));
        }
        for bad in [
            "http://otel.example",
            "otel.example:4317",
            "https://a:b@otel.example",
            "https://otel.example/?key=b",
        ] {
            let error = endpoint(bad).unwrap_err();
            assert!(error.contains("OTEL_EXPORTER_OTLP_ENDPOINT: found"), "{error}");
            assert!(!error.contains("a:b") && !error.contains("key=b"), "{error}");
        }
    }

    #[test]
    fn another_protocol_is_named() {
        let error = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        assert!(error.unwrap_err().contains("found `grpc`, expected http/protobuf"));
    }

    #[test]
    fn a_name_comes_from_either_variable() {
        let is_named = |name: &str, value: &str| {
            let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
            read(&[endpoint, (name, value)]).unwrap().unwrap().is_named
        };
        assert!(is_named("OTEL_SERVICE_NAME", "mail"));
        assert!(is_named("OTEL_RESOURCE_ATTRIBUTES", "a=b, service.name=mail"));
        assert!(!is_named("OTEL_RESOURCE_ATTRIBUTES", "my.service.name=mail"));
    }
}
