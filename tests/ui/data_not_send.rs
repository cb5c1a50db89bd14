#[derive(Clone, Copy)]
pub struct Handle(*const u8);

impl serde::Serialize for Handle {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}
impl<'de> serde::Deserialize<'de> for Handle {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Handle(std::ptr::null()))
    }
}

#[socketio::namespace("/chat", data = Handle)]
pub trait Chat {}
fn main() {}
