//! `impl<H: Chat> Serve<H> for dyn Chat`: from an incoming event to the handler and back to an acknowledgement.
//!
//! ```text
//! "join" => {
//!     async fn __arm<__H: Chat>(__handler: &Arc<__H>, __event: &Incoming) -> Result<Outcome, Rejection> {
//!         let (__a0,) = args::decode(__event, |__args| Ok((__args.next::<CowStr<'_>>("room")?,)))?;
//!         let __reply = <__H as Chat>::join(__handler, &*__a0).await;
//!         Ok(ack::value(__event, &__reply))
//!     }
//!     probe::run::<Self, __H, _>(Arc::clone(__handler), __event, __arm::<__H>)
//! }
//! ```
//!
//! Each arm boxes exactly its own future. Arguments are decoded straight from the packet, in one pass.

use super::{Names, local, local_at, types};
use crate::model::{Arg, Event, Hook, Model, Payload, Receiver, Reply, Shape};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;

pub(super) fn expand(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let (handler, event) = (local("__handler"), local("__event"));
    let arms = model.events.iter().filter(|event| !event.broken).map(|event| arm(model, event, names));
    let unknown = unknown(model, names);
    let reject = reject(model, names);
    let on_disconnect = model.disconnect.as_ref().map(|hook| on_disconnect(hook, names));
    let checks = model.events.iter().filter(|event| !event.broken).map(|event| no_hidden_result(event, names));
    quote! {
        #[automatically_derived]
        #[allow(deprecated, unreachable_patterns, unused_variables, unused_mut, clippy::all, clippy::pedantic, clippy::nursery)]
        impl<__H: #contract> #private::Serve<__H> for dyn #contract {
            fn dispatch(
                #handler: &::std::sync::Arc<__H>,
                #event: #private::Incoming,
            ) -> #private::BoxFuture<'static, #private::Outcome> {
                match #event.name() {
                    #(#arms)*
                    #unknown
                }
            }
            #reject
            #on_disconnect
        }
        #(#checks)*
    }
}

/// What becomes of an event that something around the handler rejects: the same as if it were rejected inside. Events without an
/// error type are left to the default.
fn reject(model: &Model, names: &Names) -> Option<TokenStream> {
    let private = &names.private;
    let (handler, incoming, rejection) = (local("__handler"), local("__event"), local("__rejection"));
    // Events mostly share their error type, and one arm for all of them is less to check than one for each.
    let mut shared: Vec<(TokenStream, Vec<&str>)> = Vec::new();
    let mut arms = Vec::new();
    for event in model.events.iter().filter(|event| !event.broken) {
        let Reply::Result(ty) = &event.reply else { continue };
        let (cfgs, name, rejected) = (&event.cfgs, &event.name, rejected(ty, names));
        if !cfgs.is_empty() {
            arms.push(quote!(#(#cfgs)* #name => #rejected,));
            continue;
        }
        match shared.iter_mut().find(|(of, _)| of.to_string() == rejected.to_string()) {
            Some((_, names)) => names.push(name),
            None => shared.push((rejected, vec![name])),
        }
    }
    arms.extend(shared.iter().map(|(rejected, names)| quote!(#(#names)|* => #rejected,)));
    (!arms.is_empty()).then(|| {
        quote! {
            fn reject(
                #handler: &::std::sync::Arc<__H>,
                #incoming: &#private::Incoming,
                #rejection: #private::Rejection,
            ) -> #private::Outcome {
                match #incoming.name() {
                    #(#arms)*
                    _ => #private::probe::reject(#incoming, #rejection),
                }
            }
        }
    })
}

fn arm(model: &Model, event: &Event, names: &Names) -> TokenStream {
    let contract = &names.contract;
    let (cfgs, name, method) = (&event.cfgs, &event.name, &event.signature.ident);
    let middleware = middleware(model, names);
    let arguments = arguments(&event.args, names);
    let receiver = receiver(event.receiver);
    let lent = event.args.iter().enumerate().map(|(index, arg)| lent(index, arg));
    let call = quote!(<__H as #contract>::#method(#receiver, #(#lent),*).await);
    let acknowledge = acknowledge(event, call, names);
    let future = future(quote! { #middleware #arguments #acknowledge }, names);
    quote! {
        #(#cfgs)*
        #name => #future
    }
}

/// An arm's body: a function of its own, because what rustc does with a function grows faster than the function, and a contract
/// may have hundreds of events. What is the same for all of them, the box, the guard and the answer to a rejection, is not
/// generated for each but called.
fn future(body: TokenStream, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let (arm, handler, event) = (local("__arm"), local("__handler"), local("__event"));
    quote! {{
        async fn #arm<__H: #contract>(
            #handler: &::std::sync::Arc<__H>,
            #event: &#private::Incoming,
        ) -> ::core::result::Result<#private::Outcome, #private::Rejection> {
            #body
        }
        #private::probe::run::<Self, __H, _>(::std::sync::Arc::clone(#handler), #event, #arm::<__H>)
    }}
}

fn receiver(receiver: Receiver) -> TokenStream {
    let handler = local("__handler");
    match receiver {
        Receiver::Ref => quote!(&#handler),
        Receiver::Arc => quote!(::std::sync::Arc::clone(&#handler)),
    }
}

/// Decodes the arguments, makes the extracted values, and checks that the rest of the packet is well-formed.
fn arguments(args: &[Arg], names: &Names) -> TokenStream {
    let private = &names.private;
    let (incoming, cursor) = (local("__event"), local("__args"));
    let slots: Vec<_> = (0..args.len()).map(slot).collect();
    let decode = args.iter().map(|arg| match &arg.payload {
        None => {
            let ty = types::elided(&arg.ty);
            quote_spanned!(arg.ty.span()=> <#ty as #private::FromEvent>::from_event(#incoming)?)
        }
        Some(payload) => decode(arg, payload, names),
    });
    quote! {
        let (#(#slots,)*) = #private::args::decode(#incoming, |#cursor| ::core::result::Result::Ok((#(#decode,)*)))?;
    }
}

fn decode(arg: &Arg, payload: &Payload, names: &Names) -> TokenStream {
    let (args, label) = (local("__args"), arg.label());
    let span = arg.ty.span();
    let ty = types::decoded(payload, names);
    match payload.shape {
        Shape::Rest(_) => quote_spanned!(span=> #args.rest::<#ty>(#label)?),
        _ if payload.optional => quote_spanned!(span=> #args.opt::<#ty>(#label)?),
        _ if payload.option => quote_spanned!(span=> #args.next::<::core::option::Option<#ty>>(#label)?),
        _ => quote_spanned!(span=> #args.next::<#ty>(#label)?),
    }
}

/// The variable of the parameter at `index`.
fn slot(index: usize) -> proc_macro2::Ident {
    local(&format!("__a{index}"))
}

/// What the handler gets.
fn lent(index: usize, arg: &Arg) -> TokenStream {
    let value = slot(index);
    match &arg.payload {
        None => quote!(#value),
        Some(Payload { shape, option, .. }) => match shape {
            Shape::Str | Shape::Slice(_) if *option => quote!(#value.as_deref()),
            Shape::Ref(_) if *option => quote!(#value.as_ref()),
            Shape::Str => quote!(&*#value),
            Shape::Slice(_) => quote!(&#value[..]),
            Shape::Ref(_) => quote!(&#value),
            Shape::CowStr => quote!(#value.0),
            Shape::Own(_) | Shape::Rest(_) => quote!(#value),
        },
    }
}

/// Runs the handler and encodes what it returns.
fn acknowledge(event: &Event, call: TokenStream, names: &Names) -> TokenStream {
    let private = &names.private;
    let (span, incoming) = (event.reply_span, local("__event"));
    let reply = local_at("__reply", span);
    match &event.reply {
        Reply::None | Reply::Empty(_) => quote! { #call; ::core::result::Result::Ok(#private::ack::none()) },
        Reply::Value(_) => {
            let encode = quote_spanned!(span=> #private::ack::value(#incoming, &#reply));
            quote! { let #reply = #call; ::core::result::Result::Ok(#encode) }
        }
        Reply::Result(ty) => {
            // What one of the two types lacks is reported at that type.
            let (ok, err) = types::result(ty, names);
            let (ok, err) = (local_at("__value", ok.span()), local_at("__value", err.span()));
            let on_ok = quote_spanned!(ok.span()=> #private::ack::ok(#incoming, #ok));
            let on_err = quote_spanned!(err.span()=> #private::ack::err(#incoming, #err));
            quote! {
                let #reply = #call;
                ::core::result::Result::Ok(match #private::probe::IsResult::as_result(&#reply) {
                    ::core::result::Result::Ok(#ok) => #on_ok,
                    ::core::result::Result::Err(#err) => #on_err,
                })
            }
        }
    }
}

/// The outcome of a rejection: acknowledged if the event's error type is `From<Rejection>`.
fn rejected(ty: &syn::Type, names: &Names) -> TokenStream {
    let private = &names.private;
    let (incoming, rejection) = (local("__event"), local("__rejection"));
    let (_, err) = types::result(ty, names);
    quote! {{
        #[allow(unused_imports)]
        use #private::probe::{RejectTyped as _, RejectUntyped as _};
        (&#private::probe::Reject::<#err>::new()).reject(#incoming, #rejection)
    }}
}

/// Asks the session's middleware; a refusal ends the arm.
fn middleware(model: &Model, names: &Names) -> Option<TokenStream> {
    let Names { private, contract, .. } = names;
    model.middleware.as_ref().map(|hook| {
        let (cfgs, method, receiver) = (&hook.cfgs, &hook.method, receiver(hook.receiver));
        let argument = local_at("__event", span(hook, 0));
        // A wrong return type is reported where it stands.
        let verdict = local_at("__verdict", hook.returns);
        let judge = quote_spanned!(hook.returns=> #private::probe::Verdict::verdict(#verdict));
        quote! {
            #(#cfgs)*
            {
                let #verdict = <__H as #contract>::#method(#receiver, #argument).await;
                #judge?;
            }
        }
    })
}

/// The arms for events that the trait does not name.
fn unknown(model: &Model, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let event = local("__event");
    let middleware = middleware(model, names);
    let well_formed = arguments(&[], names);
    let fallback = model.fallback.as_ref().map(|hook| {
        let (cfgs, method, receiver) = (&hook.cfgs, &hook.method, receiver(hook.receiver));
        // All of each expression stands where the parameter's type does, so that a wrong type is reported there.
        let (first, second) = (local_at("__event", span(hook, 0)), local_at("__event", span(hook, 1)));
        let name = quote_spanned!(span(hook, 0)=> #first.name());
        let args = quote_spanned!(span(hook, 1)=> #second.raw_args());
        let body = quote! {
            #middleware
            #well_formed
            <__H as #contract>::#method(#receiver, #name, #args).await;
            ::core::result::Result::Ok(#private::ack::none())
        };
        let future = future(body, names);
        quote!(#(#cfgs)* _ => #future)
    });
    if model.fallback.as_ref().is_some_and(|hook| hook.cfgs.is_empty()) {
        return quote!(#fallback);
    }
    let unhandled = quote!(#private::Outcome::Unhandled(#event));
    let last = match &model.middleware {
        // Also unknown events count for a middleware, for example one that limits their rate.
        Some(_) => {
            // The guard has lent the event, so it is a copy that comes back; text and attachments are shared.
            let copy = quote!(#private::Outcome::Unhandled(::core::clone::Clone::clone(#event)));
            future(quote! { #middleware ::core::result::Result::Ok(#copy) }, names)
        }
        None => quote!(::std::boxed::Box::pin(::core::future::ready(#unhandled)),),
    };
    quote!(#fallback _ => #last)
}

fn on_disconnect(hook: &Hook, names: &Names) -> TokenStream {
    let Names { private, contract, .. } = names;
    let (cfgs, method, handler, reason) = (&hook.cfgs, &hook.method, local("__handler"), local_at("__reason", span(hook, 0)));
    let receiver = receiver(hook.receiver);
    quote! {
        #(#cfgs)*
        fn on_disconnect(
            #handler: &::std::sync::Arc<__H>,
            #reason: #private::DisconnectReason,
        ) -> ::core::option::Option<#private::BoxFuture<'static, ()>> {
            let #handler = ::std::sync::Arc::clone(#handler);
            ::core::option::Option::Some(::std::boxed::Box::pin(async move {
                <__H as #contract>::#method(#receiver, #reason).await
            }))
        }
    }
}

/// Where a hook's parameter stands.
fn span(hook: &Hook, parameter: usize) -> Span {
    hook.parameters.get(parameter).copied().unwrap_or_else(|| hook.method.span())
}

/// Refuses a `Result` behind an alias of another name: it would be sent as `{"Ok": ..}`.
fn no_hidden_result(event: &Event, names: &Names) -> Option<TokenStream> {
    let private = &names.private;
    let Reply::Value(ty) = &event.reply else { return None };
    let (ty, cfgs) = (types::fixed(ty), &event.cfgs);
    let message = format!(
        "event `{}` returns a `Result` behind an alias: name the alias `Result` (or write `Result<..>`) so that it becomes a typed \
         `ok`/`error` acknowledgement",
        event.name
    );
    Some(quote_spanned! {event.reply_span=>
        #(#cfgs)*
        const _: () = {
            #[allow(unused_imports)]
            use #private::probe::NoResult as _;
            ::core::assert!(!<#private::probe::Probe<#ty>>::IS_RESULT, #message)
        };
    })
}
