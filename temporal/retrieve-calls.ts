// What entry points ask of the worker's retriever over the bus; the shapes are those of the retriever.

export {
  type Finding,
  type RetrievalSource,
  type RetrieveCall,
  type RetrieveReply,
  retrievalSources,
  retrieveCall,
  retrieveReply,
  type SourceReport,
} from '../activities/retrieve-contract.ts'
