/**
 * Types of ferrows for `import`: the declarations of index.d.ts under the names of the ES module. require() and import give the
 * same classes.
 */

import WebSocket from './index.js';

export default WebSocket;
export { WebSocket };

export import createWebSocketStream = WebSocket.createWebSocketStream;
export import extension = WebSocket.extension;
export import PerMessageDeflate = WebSocket.PerMessageDeflate;
export import Receiver = WebSocket.Receiver;
export import Sender = WebSocket.Sender;
export import shutdown = WebSocket.shutdown;
export import subprotocol = WebSocket.subprotocol;
export import WebSocketServer = WebSocket.WebSocketServer;

import Server = WebSocket.Server;
export type { Server };

export import AddressInfo = WebSocket.AddressInfo;
export import BinaryType = WebSocket.BinaryType;
export import BlobData = WebSocket.BlobData;
export import BlobMessageEvent = WebSocket.BlobMessageEvent;
export import CertMeta = WebSocket.CertMeta;
export import ClientOptions = WebSocket.ClientOptions;
export import CloseEvent = WebSocket.CloseEvent;
export import ConnectionOptions = WebSocket.ConnectionOptions;
export import Data = WebSocket.Data;
export import ErrorCode = WebSocket.ErrorCode;
export import ErrorEvent = WebSocket.ErrorEvent;
export import Event = WebSocket.Event;
export import EventListenerOptions = WebSocket.EventListenerOptions;
export import ExtensionParameters = WebSocket.ExtensionParameters;
export import FinishRequestCallback = WebSocket.FinishRequestCallback;
export import FrameOptions = WebSocket.FrameOptions;
export import MessageEvent = WebSocket.MessageEvent;
export import PathRequest = WebSocket.PathRequest;
export import PerMessageDeflateOptions = WebSocket.PerMessageDeflateOptions;
export import ProtocolError = WebSocket.ProtocolError;
export import RawData = WebSocket.RawData;
export import ReceiverOptions = WebSocket.ReceiverOptions;
export import SendOptions = WebSocket.SendOptions;
export import ServerOptions = WebSocket.ServerOptions;
export import ServerStatistics = WebSocket.ServerStatistics;
export import ShutdownOptions = WebSocket.ShutdownOptions;
export import ShutdownResult = WebSocket.ShutdownResult;
export import SocketOptions = WebSocket.SocketOptions;
export import VerifyClientCallbackAsync = WebSocket.VerifyClientCallbackAsync;
export import VerifyClientCallbackSync = WebSocket.VerifyClientCallbackSync;
export import WebSocketEventMap = WebSocket.WebSocketEventMap;
